//! What customers may ask about their shipments.

use sdk::{
    ids,
    rest::{Problem, Request, Response, json},
};
use serde::Serialize;

use crate::shipments::Shipments;

/// A shipment as its owner sees it.
#[derive(Serialize)]
struct Body<'a> {
    carrier: &'a str,
    tracking: &'a str,
    status: &'a str,
}

/// `GET /api/v1/orders/{id}/shipment`, at `now` in milliseconds since 1970.
pub fn answer(request: &Request, now: u64) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("GET", ["api", "v1", "orders", order, "shipment"]) => {
            shipment(request.principal()?, order, now)
        }
        (_, ["api", "v1", "orders", _, "shipment"]) => Err(Problem::method_not_allowed(&["GET"])),
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn shipment(user: &str, order: &str, now: u64) -> Result<Response, Problem> {
    let record = if ids::is("ord", order) {
        Shipments::open(now).find(order)
    } else {
        None
    };
    let (shipment, status) = record
        .as_ref()
        .and_then(|record| record.seen_by(user, now))
        .ok_or_else(|| none_yet(order))?;
    Ok(json(
        200,
        &Body {
            carrier: &shipment.carrier,
            tracking: &shipment.tracking,
            status,
        },
    ))
}

/// The order may have been placed a moment ago, and what is asked about comes with its event.
fn none_yet(order: &str) -> Problem {
    let problem = Problem::not_found("nothing is on its way for this order");
    if ids::is("ord", order) {
        problem.with_header("retry-after", "1")
    } else {
        problem
    }
}

#[cfg(test)]
mod tests {
    use sdk::rest;

    use super::*;
    use crate::domain::Address;

    fn ask_at(now: u64, user: &str, order: &str) -> Response {
        let path = format!("/api/v1/orders/{order}/shipment");
        let request = Request::new("GET", &path).unwrap().by(user);
        rest::answer(&request, |request| answer(request, now))
    }

    fn ask(user: &str, order: &str) -> Response {
        ask_at(0, user, order)
    }

    #[test]
    fn the_owner_sees_the_shipment_and_nobody_else() {
        let order = ids::new("ord");
        let early = ask("usr_1", &order);
        assert_eq!(
            (early.status, early.header("retry-after")),
            (404, Some("1"))
        );
        let to = Address {
            name: "Ada".to_owned(),
            street: "Kai 1".to_owned(),
            city: "Oslo".to_owned(),
            postal_code: "0150".to_owned(),
            country: "NO".to_owned(),
        };
        let shipments = Shipments::open(0);
        let shipment = shipments.book(&order, "usr_1", &to, 60).unwrap();
        let again = Shipments::open(5_000).book(&order, "usr_1", &to, 60);
        assert_eq!(again, Ok(shipment.clone()));
        let body = ask("usr_1", &order).body_json();
        assert_eq!(body["tracking"], shipment.tracking);
        assert_eq!(
            (&body["carrier"], &body["status"]),
            (&"Nordlys Post".into(), &"booked".into())
        );
        assert_eq!(ask("usr_2", &order).status, 404);
        let status = |now| ask_at(now, "usr_1", &order).body_json()["status"].clone();
        assert_eq!(
            (status(59_999), status(60_000)),
            ("booked".into(), "shipped".into())
        );
        shipments.cancel(&order).unwrap();
        assert_eq!(
            (status(0), status(60_000)),
            ("cancelled".into(), "cancelled".into())
        );
        shipments.reinstate(&order);
        assert_eq!(
            (status(0), status(60_000)),
            ("booked".into(), "shipped".into())
        );
        let late = Shipments::open(60_000).cancel(&order);
        assert_eq!(late, Err(crate::domain::Refusal::Shipped(order.clone())));
    }

    #[test]
    fn who_is_not_logged_in_is_told_so() {
        let request = Request::new("GET", "/api/v1/orders/ord_1/shipment").unwrap();
        assert_eq!(
            rest::answer(&request, |request| answer(request, 0)).status,
            401
        );
        let never = ask("usr_1", "x");
        assert_eq!((never.status, never.header("retry-after")), (404, None));
        let request = Request::new("POST", "/api/v1/orders/ord_1/shipment").unwrap();
        assert_eq!(
            rest::answer(&request, |request| answer(request, 0)).status,
            405
        );
    }
}
