//! What the public may ask of the stockroom.

use sdk::{
    ids::LONGEST_SKU,
    rest::{Problem, Request, Response, json},
};

use crate::stockroom::Stockroom;

/// `GET /api/v1/stock/{sku}` at `now`, in milliseconds since 1970.
pub fn answer(request: &Request, now: u64) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("GET", ["api", "v1", "stock", sku]) => stock(sku, now),
        (_, ["api", "v1", "stock", _]) => Err(Problem::method_not_allowed(&["GET"])),
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn stock(sku: &str, now: u64) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("the shop does not sell this");
    if sku.len() > LONGEST_SKU {
        return Err(unknown());
    }
    let stock = Stockroom::open(now).find(sku).map_err(|_| unknown())?;
    Ok(json(200, &stock))
}

#[cfg(test)]
mod tests {
    use sdk::rest;

    use super::*;

    fn ask(method: &str, path: &str) -> Response {
        let request = Request::new(method, path).unwrap();
        rest::answer(&request, |request| answer(request, 0))
    }

    #[test]
    fn the_stock_of_a_product_is_public() {
        Stockroom::open(0).receive("tea", 100);
        let response = ask("GET", "/api/v1/stock/tea");
        insta::assert_snapshot!(
            String::from_utf8(response.body).unwrap(),
            @r#"{"sku":"tea","received":100,"available":100,"reserved":0,"sold":0}"#
        );
    }

    #[test]
    fn what_the_shop_does_not_sell_has_no_stock() {
        assert_eq!(ask("GET", "/api/v1/stock/gold").status, 404);
        assert_eq!(
            ask("GET", &format!("/api/v1/stock/{}", "x".repeat(5000))).status,
            404
        );
    }

    #[test]
    fn the_stock_cannot_be_changed_from_outside() {
        let response = ask("PUT", "/api/v1/stock/tea");
        assert_eq!(
            (response.status, response.header("allow")),
            (405, Some("GET, HEAD"))
        );
    }
}
