//! `GET /api/v1/order-history` and `GET /api/v1/order-history/{order}`: the caller's own orders.

use sdk::{
    ids,
    rest::{self, Page, Problem, Request, Response},
};

use crate::archive::Archive;

/// Answers a request.
pub fn answer(request: &Request) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("GET", ["api", "v1", "order-history"]) => list(request),
        ("GET", ["api", "v1", "order-history", order]) => one(request, order),
        (_, ["api", "v1", "order-history"] | ["api", "v1", "order-history", _]) => {
            Err(Problem::method_not_allowed(&["GET"]))
        }
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn list(request: &Request) -> Result<Response, Problem> {
    let (user, query) = (request.principal()?, request.query());
    let before: Option<String> = query.page_token()?;
    let (items, next) = Archive::open().page(user, before.as_deref(), query.page_size()?);
    Ok(rest::json(
        200,
        &Page {
            items,
            next_page_token: next.as_ref().map(rest::token),
        },
    ))
}

fn one(request: &Request, order: &str) -> Result<Response, Problem> {
    let user = request.principal()?;
    let unknown = || Problem::not_found("there is no such order");
    if !ids::is("ord", order) {
        return Err(unknown());
    }
    let view = Archive::open().order(order);
    // It may be on its way here; and what is another's is told the same.
    let view = view
        .filter(|view| view.customer.id == user)
        .ok_or_else(|| unknown().with_header("retry-after", "1"))?;
    Ok(rest::json_or_not_modified(request, &view))
}

#[cfg(test)]
mod tests;
