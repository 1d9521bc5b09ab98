//! `GET /api/v1/cart`, `PUT` and `DELETE /api/v1/cart/items/{sku}`.
//!
//! A cart is a thing with lines, like an order, not a list: it answers `{lines, total}`. `PUT` answers the cart, `DELETE`
//! 204 whether or not the line was there.

use sdk::{
    ids::LONGEST_SKU,
    rest::{self, Problem, Request, Response},
};
use serde::Deserialize;

use crate::{
    domain::{Cart, MAX_LINES, Refusal},
    drawer::Drawer,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quantity {
    quantity: u32,
}

/// Answers a request.
pub fn answer(request: &Request) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("GET", ["api", "v1", "cart"]) => show(request),
        ("PUT", ["api", "v1", "cart", "items", sku]) => put(request, sku),
        ("DELETE", ["api", "v1", "cart", "items", sku]) => remove(request, sku),
        (_, ["api", "v1", "cart"]) => Err(Problem::method_not_allowed(&["GET"])),
        (_, ["api", "v1", "cart", "items", _]) => {
            Err(Problem::method_not_allowed(&["PUT", "DELETE"]))
        }
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn show(request: &Request) -> Result<Response, Problem> {
    let drawer = Drawer::open();
    let cart = drawer.cart(request.principal()?);
    seen(&drawer, &cart)
}

fn put(request: &Request, sku: &str) -> Result<Response, Problem> {
    let user = request.principal()?;
    let Quantity { quantity } = rest::parse_body(&request.body)?;
    let drawer = Drawer::open();
    if sku.len() > LONGEST_SKU || drawer.item(sku).is_none() {
        return Err(Problem::not_found(format!(
            "the shop does not sell {sku:?}"
        )));
    }
    let cart = drawer
        .change(user, |cart| {
            cart.put(sku, quantity)?;
            drawer.view(cart).map(drop)
        })
        .map_err(|refusal| problem(&refusal))?;
    seen(&drawer, &cart)
}

fn remove(request: &Request, sku: &str) -> Result<Response, Problem> {
    let user = request.principal()?;
    let drawer = Drawer::open();
    // Only what is there is worth writing.
    if drawer.cart(user).lines().iter().any(|line| line.sku == sku) {
        drawer
            .change(user, |cart| {
                cart.remove(sku);
                Ok(())
            })
            .map_err(|refusal| problem(&refusal))?;
    }
    Ok(rest::no_content())
}

fn seen(drawer: &Drawer, cart: &Cart) -> Result<Response, Problem> {
    let view = drawer.view(cart).map_err(|refusal| problem(&refusal))?;
    Ok(rest::json(200, &view))
}

fn problem(refusal: &Refusal) -> Problem {
    let text = refusal.to_string();
    match refusal {
        Refusal::Quantity(_) => Problem::invalid_field("/quantity", text),
        Refusal::Full => Problem::new(422, "cart-full", "Cart is full", text)
            .with_error("", format!("remove one of the {MAX_LINES} lines first")),
        Refusal::NoTotal(_) => Problem::new(422, "no-total", "No total", text),
        Refusal::Empty => Problem::new(409, "cart-empty", "Cart is empty", text),
        Refusal::Claimed(_) | Refusal::GivenBack(_) => Problem::conflict(text),
    }
}

#[cfg(test)]
mod tests;
