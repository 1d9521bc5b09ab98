//! How an order comes to be: the cart's lines are claimed, priced and written down.

use sdk::{ids, rest::Problem};
use time::OffsetDateTime;

use crate::{
    book::Book,
    domain::{
        Line, Money, Placed, Recorded,
        pricing::{self, NoPrice},
        request::PlaceRequest,
        shop::{Claim, NoClaim, Shop},
    },
};

/// As long as the gateway lets in; it becomes part of a key in the cart's store, which has room for four times that.
const LONGEST_KEY: usize = 255;

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
    let claim = match shop.claim(user, key, &ids::new("ord")) {
        Ok(claim) => claim,
        Err(reason) => return without_claim(&book, reason),
    };
    let known = book.events(&claim.order);
    if !known.is_empty() {
        return Ok((claim.order, known));
    }
    let (lines, total) = priced(shop, &claim).map_err(|reason| {
        // The cart keeps its own records: our refusal does not undo the claim.
        shop.give_back(user, &claim.order);
        Problem::new(
            409,
            "cart-not-orderable",
            "Cart cannot be ordered",
            reason.to_string(),
        )
    })?;
    let placed = Placed {
        user: user.to_owned(),
        lines,
        total,
        ship_to: request.ship_to,
    };
    let events = book.place(&claim.order, placed, &request.payment.token, now);
    Ok((claim.order, events))
}

/// There is nothing to order; but under the same key there may have been, and then that order is the answer.
fn without_claim(book: &Book, reason: NoClaim) -> Result<(String, Vec<Recorded>), Problem> {
    let conflict = |slug, title, detail: String| Err(Problem::new(409, slug, title, detail));
    match reason {
        NoClaim::Empty => {
            let detail = "there is nothing to order".to_owned();
            conflict("cart-empty", "Cart is empty", detail)
        }
        NoClaim::Claimed(order) if book.events(&order).is_empty() => {
            let detail = "an order that was begun may still arrive; send it again with its Idempotency-Key, \
                          or wait a minute";
            let problem = Problem::new(409, "cart-claimed", "Cart is claimed", detail);
            Err(problem.with_header("retry-after", "5"))
        }
        NoClaim::Claimed(order) => {
            let detail = format!("order {order} is under way with what was in the cart");
            conflict("cart-claimed", "Cart is claimed", detail)
        }
        NoClaim::GivenBack(order) => {
            let events = book.events(&order);
            if !events.is_empty() {
                return Ok((order, events));
            }
            let detail = "what was asked under this Idempotency-Key did not become an order; \
                          take a new key";
            conflict("order-given-up", "Order was given up", detail.to_owned())
        }
    }
}

fn priced(shop: &impl Shop, claim: &Claim) -> Result<(Vec<Line>, Money), NoPrice> {
    let skus: Vec<String> = claim.lines.iter().map(|(sku, _)| sku.clone()).collect();
    let products = shop.products(&skus).map_err(NoPrice::Unknown)?;
    let lines = pricing::priced(&claim.lines, products)?;
    let total = pricing::total(&lines)?;
    Ok((lines, total))
}

/// A key that can be kept, and a request without faults.
fn check(request: &PlaceRequest, key: &str) -> Result<(), Problem> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        let detail = format!("Idempotency-Key has to have 1 to {LONGEST_KEY} characters");
        return Err(Problem::bad_request(detail));
    }
    let faults = request.faults();
    if faults.is_empty() {
        return Ok(());
    }
    let problem = Problem::unprocessable("the order breaks a rule");
    Err(faults.iter().fold(problem, |problem, fault| {
        problem.with_error(fault.pointer, fault.detail.as_str())
    }))
}
