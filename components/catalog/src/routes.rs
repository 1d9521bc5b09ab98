//! `GET /api/v1/products`, `GET /api/v1/products/{sku}` and `PATCH` of it.

use sdk::{
    ids::LONGEST_SKU,
    rest::{self, Page, Problem, Request, Response},
};

use crate::{
    domain::{self, Cursor, Filter, OtherList, Product},
    editing,
    shelf::Shelf,
};

/// Answers a request.
pub fn answer(request: &Request) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("GET", ["api", "v1", "products"]) => list(request),
        ("GET", ["api", "v1", "products", sku]) => one(request, sku),
        ("PATCH", ["api", "v1", "products", sku]) => {
            editing::admit(request)?;
            editing::rename(request, find(sku)?)
        }
        (_, ["api", "v1", "products"]) => Err(Problem::method_not_allowed(&["GET"])),
        (_, ["api", "v1", "products", _]) => Err(Problem::method_not_allowed(&["GET", "PATCH"])),
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn list(request: &Request) -> Result<Response, Problem> {
    let query = request.query();
    let filter = Filter::new(query.get("q").unwrap_or_default());
    let cursor: Option<Cursor> = query.page_token()?;
    let products = Shelf::open().all();
    let (items, next) = domain::page(&products, &filter, cursor.as_ref(), query.page_size()?)
        .map_err(|OtherList| Problem::bad_request("page_token belongs to a list with another q"))?;
    let next_page_token = next.as_ref().map(rest::token);
    Ok(rest::json(
        200,
        &Page {
            items,
            next_page_token,
        },
    ))
}

fn one(request: &Request, sku: &str) -> Result<Response, Problem> {
    Ok(rest::json_or_not_modified(request, &find(sku)?))
}

fn find(sku: &str) -> Result<Product, Problem> {
    Some(sku)
        .filter(|sku| sku.len() <= LONGEST_SKU)
        .and_then(|sku| Shelf::open().find(sku))
        .ok_or_else(|| Problem::not_found(format!("the shop does not sell {sku:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(target: &str) -> Response {
        let request = Request::new("GET", target).unwrap();
        rest::answer(&request, answer)
    }

    #[test]
    fn the_range_comes_in_pages() {
        Shelf::open().add(domain::range());
        let first = get("/api/v1/products?q=oak&page_size=2").body_json();
        assert_eq!(first["items"].as_array().unwrap().len(), 2);
        let token = first["next_page_token"].as_str().unwrap();
        let second = get(&format!(
            "/api/v1/products?q=oak&page_size=100&page_token={token}"
        ))
        .body_json();
        assert!(second["items"][0]["sku"].as_str() > first["items"][1]["sku"].as_str());
        assert!(second.get("next_page_token").is_none());
        let other = get(&format!("/api/v1/products?q=iron&page_token={token}"));
        assert_eq!(other.status, 400);
        assert_eq!(get("/api/v1/products?page_size=0").status, 400);
    }

    #[test]
    fn a_product_is_sent_once_and_then_not_modified() {
        Shelf::open().add(domain::range());
        let full = get("/api/v1/products/ale-horn");
        insta::assert_snapshot!(String::from_utf8_lossy(&full.body), @r#"{"sku":"ale-horn","name":"Ale horn","description":"A polished cow horn with a brass rim. Holds half a litre and cannot be put down full.","price":{"amount":3490,"currency":"EUR"}}"#);
        let request = Request::new("GET", "/api/v1/products/ale-horn")
            .unwrap()
            .with_header("if-none-match", full.header("etag").unwrap());
        assert_eq!(rest::answer(&request, answer).status, 304);
    }

    #[test]
    fn what_is_not_there_is_a_problem() {
        let unknown = get("/api/v1/products/longship");
        assert_eq!(unknown.status, 404);
        insta::assert_snapshot!(String::from_utf8_lossy(&unknown.body), @r#"{"type":"https://skald.dev/problems/not-found","title":"Not found","status":404,"detail":"the shop does not sell \"longship\""}"#);
        assert_eq!(get("/api/v1/products/a/b").status, 404);
        let long = "x".repeat(5_000);
        assert_eq!(get(&format!("/api/v1/products/{long}")).status, 404);
        let post = Request::new("POST", "/api/v1/products").unwrap();
        let refused = rest::answer(&post, answer);
        assert_eq!(
            (refused.status, refused.header("allow")),
            (405, Some("GET, HEAD"))
        );
    }
}
