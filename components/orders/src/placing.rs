//! How an order comes to be: the cart's lines are claimed, priced and written down.

use sdk::{ids, rest::Problem};
use time::OffsetDateTime;

use crate::{
    book::Book,
    domain::{
        Placed, Recorded, pricing,
        request::PlaceRequest,
        shop::{NoClaim, Shop},
    },
};

/// Places an order for `user`, once for each `key`; answers its id and its events.
pub fn place(
    shop: &impl Shop,
    user: &str,
    key: &str,
    request: PlaceRequest,
    now: OffsetDateTime,
) -> Result<(String, Vec<Recorded>), Problem> {
    request.check(key)?;
    let book = Book::open();
    let claim = match shop.claim(user, key, &ids::new("ord")) {
        Ok(claim) => claim,
        Err(reason) => return without_claim(&book, &reason),
    };
    let known = book.events(&claim.order);
    if !known.is_empty() {
        return Ok((claim.order, known));
    }
    let (lines, total) = pricing::of_claim(shop, &claim).map_err(|reason| {
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
fn without_claim(book: &Book, reason: &NoClaim) -> Result<(String, Vec<Recorded>), Problem> {
    let known = reason.order().map(|order| (order, book.events(order)));
    let known = known.filter(|(_, events)| !events.is_empty());
    match (reason, known) {
        (NoClaim::GivenBack(_), Some((order, events))) => Ok((order.to_owned(), events)),
        (_, known) => Err(reason.conflict(known.is_some())),
    }
}
