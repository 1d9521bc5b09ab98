//! How an order comes to be: the cart's lines are claimed, priced and written down.

use sdk::{ids, rest::Problem};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::{
    book::Book,
    domain::{self, Address, Line, Money, NoPrice, Placed, Recorded},
};

/// No part of an address is longer.
const LONGEST_PART: usize = 200;

/// No token is longer.
const LONGEST_TOKEN: usize = 256;

/// No idempotency key is longer; it becomes part of a key in the cart's store.
const LONGEST_KEY: usize = 128;

/// What a customer sends to place an order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceRequest {
    /// How it is paid.
    pub payment: Payment,
    /// Where it goes.
    pub ship_to: Address,
}

/// A means of payment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// The payment provider's word for it.
    pub token: String,
}

/// Lines of a cart that are ours now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// For this order: another than we proposed, if the key was used before.
    pub order: String,
    /// SKU and pieces.
    pub lines: Vec<(String, u32)>,
}

/// Why nothing can be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoClaim {
    /// There is nothing in the cart.
    Empty,
    /// Another order, this one, has the lines.
    Claimed(String),
    /// This order had them, and has given them back.
    GivenBack(String),
}

/// What the catalog says about a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// What it is called.
    pub name: String,
    /// Of one piece, now.
    pub price: Money,
}

/// The capabilities that are asked when an order is placed.
pub trait Shop {
    /// Takes the lines out of the user's cart for an order.
    fn claim(&self, user: &str, key: &str, order: &str) -> Result<Claim, NoClaim>;

    /// Puts them back.
    fn give_back(&self, user: &str, order: &str);

    /// Looks products up, in the order asked; the error is the first SKU that is not sold.
    fn products(&self, skus: &[String]) -> Result<Vec<Product>, String>;
}

/// Places an order for `user`, once for each `key`; answers its id and its events.
pub fn place(
    shop: &impl Shop,
    user: &str,
    key: &str,
    request: PlaceRequest,
    now: OffsetDateTime,
) -> Result<(String, Vec<Recorded>), Problem> {
    check(&request, key)?;
    let book = Book::open();
    let claim = match shop.claim(user, &format!("{user}/{key}"), &ids::new("ord")) {
        Ok(claim) => claim,
        Err(NoClaim::GivenBack(order)) => return placed_before(&book, order),
        Err(NoClaim::Empty) => {
            return Err(Problem::new(409, "cart-empty", "Cart is empty", "there is nothing to order"));
        }
        Err(NoClaim::Claimed(order)) => {
            let detail = format!("order {order} is under way with what was in the cart");
            return Err(Problem::new(409, "cart-claimed", "Cart is claimed", detail));
        }
    };
    let known = book.events(&claim.order);
    if !known.is_empty() {
        return Ok((claim.order, known));
    }
    let (lines, total) = priced(shop, &claim).map_err(|reason| {
        // The cart keeps its own records: our refusal does not undo the claim.
        shop.give_back(user, &claim.order);
        Problem::new(409, "cart-not-orderable", "Cart cannot be ordered", reason.to_string())
    })?;
    let placed = Placed { user: user.to_owned(), lines, total, ship_to: request.ship_to };
    let events = book.place(&claim.order, placed, &request.payment.token, now);
    Ok((claim.order, events))
}

/// The lines were given back: the order has ended, or never came to be.
fn placed_before(book: &Book, order: String) -> Result<(String, Vec<Recorded>), Problem> {
    let events = book.events(&order);
    if events.is_empty() {
        let detail = "what was asked under this Idempotency-Key did not become an order; take a new key";
        return Err(Problem::new(409, "order-given-up", "Order was given up", detail));
    }
    Ok((order, events))
}

fn priced(shop: &impl Shop, claim: &Claim) -> Result<(Vec<Line>, Money), NoPrice> {
    let skus: Vec<String> = claim.lines.iter().map(|(sku, _)| sku.clone()).collect();
    let products = shop.products(&skus).map_err(NoPrice::Unknown)?;
    let line = |((sku, quantity), product): (&(String, u32), Product)| Line {
        sku: sku.clone(),
        name: product.name,
        quantity: *quantity,
        price: product.price,
    };
    let lines: Vec<Line> = claim.lines.iter().zip(products).map(line).collect();
    let total = domain::total(&lines)?;
    Ok((lines, total))
}

/// All that is wrong with a request, at once.
fn check(request: &PlaceRequest, key: &str) -> Result<(), Problem> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        let detail = format!("Idempotency-Key has to have 1 to {LONGEST_KEY} characters");
        return Err(Problem::bad_request(detail));
    }
    let to = &request.ship_to;
    let texts = [
        ("/payment/token", &request.payment.token, LONGEST_TOKEN),
        ("/ship_to/name", &to.name, LONGEST_PART),
        ("/ship_to/street", &to.street, LONGEST_PART),
        ("/ship_to/city", &to.city, LONGEST_PART),
        ("/ship_to/postal_code", &to.postal_code, LONGEST_PART),
    ];
    let mut problem = Problem::unprocessable("the order breaks a rule");
    for (pointer, text, longest) in texts {
        if text.trim().is_empty() || text.chars().count() > longest {
            problem = problem.with_error(pointer, format!("has to have 1 to {longest} characters"));
        }
    }
    if to.country.len() != 2 || !to.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        problem = problem.with_error("/ship_to/country", "has to be two upper-case letters");
    }
    if problem.errors().is_empty() { Ok(()) } else { Err(problem) }
}
