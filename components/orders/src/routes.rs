//! What customers may ask about their orders.

use sdk::{
    clock, ids,
    rest::{
        Page, Problem, Request, Response, accepted, json, json_or_not_modified, parse_body, token,
    },
};
use time::OffsetDateTime;

use crate::{
    book::{Book, Refusal},
    domain::{self, Command, Recorded, shop::Shop, view::View, wish},
    placing,
};

/// Seconds until it is worth asking again. Answers about the present have it as long as the order is changing by itself.
const RETRY_AFTER: (&str, &str) = ("retry-after", "1");

/// `/api/v1/orders`, `/api/v1/orders/{id}`, and the wishes about one.
pub fn answer(
    request: &Request,
    shop: &impl Shop,
    now: OffsetDateTime,
) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("POST", ["api", "v1", "orders"]) => place(request, shop, now),
        ("GET", ["api", "v1", "orders"]) => list(request),
        (_, ["api", "v1", "orders"]) => Err(Problem::method_not_allowed(&["GET", "POST"])),
        ("GET", ["api", "v1", "orders", order]) => one(request, order),
        (_, ["api", "v1", "orders", _]) => Err(Problem::method_not_allowed(&["GET"])),
        ("POST", ["api", "v1", "orders", order, "cancellation"]) => {
            wished(request, order, wish::cancellation, now)
        }
        ("POST", ["api", "v1", "orders", order, "return"]) => {
            wished(request, order, wish::sending_back, now)
        }
        (_, ["api", "v1", "orders", _, "cancellation" | "return"]) => {
            Err(Problem::method_not_allowed(&["POST"]))
        }
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn place(request: &Request, shop: &impl Shop, now: OffsetDateTime) -> Result<Response, Problem> {
    let user = request.principal()?;
    let key = request
        .header("idempotency-key")
        .ok_or_else(|| Problem::bad_request("Idempotency-Key is missing"))?;
    let (order, events) = placing::place(shop, user, key, parse_body(&request.body)?, now)?;
    taken(&order, &events, user)
}

/// Notes a wish of the order's owner. Wishing again what is being looked into changes nothing.
fn wished(
    request: &Request,
    order: &str,
    read: fn(&[u8]) -> Result<Command, Problem>,
    now: OffsetDateTime,
) -> Result<Response, Problem> {
    let (user, book) = (request.principal()?, Book::open());
    if !ids::is("ord", order) || View::of(order, &book.events(order), user).is_none() {
        return Err(unknown());
    }
    let wish = read(&request.body)?;
    match book.run(order, &wish, now) {
        Ok(_) => taken(order, &book.events(order), user),
        Err(Refusal::Unknown(_)) => Err(unknown()),
        Err(Refusal::Denied(denial)) => Err(wish::conflict(&wish, &denial)),
    }
}

/// The order as it is now; how it goes on is to be seen at its own address.
fn taken(order: &str, events: &[Recorded], user: &str) -> Result<Response, Problem> {
    let body = seen(order, events, user)?;
    let response = accepted(&format!("/api/v1/orders/{order}"), &body);
    Ok(hinted(response, &body))
}

fn list(request: &Request) -> Result<Response, Problem> {
    let (user, query) = (request.principal()?, request.query());
    let shelf = Book::open().of_user(user, query.page_token()?, query.page_size()?);
    let bodies = shelf
        .orders
        .iter()
        .map(|(order, events)| seen(order, events, user));
    let items = bodies.collect::<Result<Vec<_>, _>>()?;
    Ok(json(
        200,
        &Page {
            items,
            next_page_token: shelf.next.as_ref().map(token),
        },
    ))
}

fn one(request: &Request, order: &str) -> Result<Response, Problem> {
    let user = request.principal()?;
    if !ids::is("ord", order) {
        return Err(unknown());
    }
    let events = Book::open().events(order);
    match request.query().get("at") {
        None => {
            let body = seen(order, &events, user)?;
            Ok(hinted(json_or_not_modified(request, &body), &body))
        }
        // The past stays as it was: there is nothing to ask again for.
        Some(text) => {
            let body = seen(order, domain::until(&events, moment(text)?), user)?;
            Ok(json_or_not_modified(request, &body))
        }
    }
}

/// A `+` that was not encoded arrives as a space, and a time has no other spaces.
fn moment(text: &str) -> Result<OffsetDateTime, Problem> {
    clock::parse(&text.replace(' ', "+")).ok_or_else(|| {
        Problem::bad_request(format!(
            "at has to be a time as RFC 3339 writes it, not {text:?}"
        ))
    })
}

fn seen<'a>(order: &'a str, events: &[Recorded], user: &str) -> Result<View<'a>, Problem> {
    View::of(order, events, user).ok_or_else(unknown)
}

fn hinted(response: Response, body: &View<'_>) -> Response {
    if body.is_changing {
        response.with_header(RETRY_AFTER.0, RETRY_AFTER.1)
    } else {
        response
    }
}

fn unknown() -> Problem {
    Problem::not_found("there is no such order")
}

#[cfg(test)]
mod tests;
