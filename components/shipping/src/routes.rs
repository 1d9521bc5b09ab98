//! What customers may ask about their shipments.

use sdk::{
    ids,
    rest::{Problem, Request, Response, json},
};
use serde::Serialize;

use crate::shipments;

/// A shipment as its owner sees it.
#[derive(Serialize)]
struct Body<'a> {
    carrier: &'a str,
    tracking: &'a str,
    status: &'a str,
}

/// `GET /api/v1/orders/{id}/shipment`.
pub fn answer(request: &Request) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("GET", ["api", "v1", "orders", order, "shipment"]) => {
            shipment(request.principal()?, order)
        }
        (_, ["api", "v1", "orders", _, "shipment"]) => Err(Problem::method_not_allowed(&["GET"])),
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn shipment(user: &str, order: &str) -> Result<Response, Problem> {
    let record = if ids::is("ord", order) {
        shipments::find(order)
    } else {
        None
    };
    let (shipment, status) = record
        .as_ref()
        .and_then(|record| record.seen_by(user))
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

    fn ask(user: &str, order: &str) -> Response {
        let path = format!("/api/v1/orders/{order}/shipment");
        rest::answer(&Request::new("GET", &path).unwrap().by(user), answer)
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
        let shipment = shipments::book(&order, "usr_1", &to).unwrap();
        assert_eq!(shipments::book(&order, "usr_1", &to), Ok(shipment.clone()));
        let body = ask("usr_1", &order).body_json();
        assert_eq!(body["tracking"], shipment.tracking);
        assert_eq!(
            (&body["carrier"], &body["status"]),
            (&"Nordlys Post".into(), &"booked".into())
        );
        assert_eq!(ask("usr_2", &order).status, 404);
        shipments::cancel(&order);
        assert_eq!(ask("usr_1", &order).body_json()["status"], "cancelled");
    }

    #[test]
    fn who_is_not_logged_in_is_told_so() {
        let request = Request::new("GET", "/api/v1/orders/ord_1/shipment").unwrap();
        assert_eq!(rest::answer(&request, answer).status, 401);
        let never = ask("usr_1", "x");
        assert_eq!((never.status, never.header("retry-after")), (404, None));
        let request = Request::new("POST", "/api/v1/orders/ord_1/shipment").unwrap();
        assert_eq!(rest::answer(&request, answer).status, 405);
    }
}
