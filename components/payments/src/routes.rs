//! What customers may ask about their payments.

use sdk::{
    ids,
    rest::{Problem, Request, Response, json},
};

use crate::service;

/// `GET /api/v1/orders/{id}/payment`.
pub fn answer(request: &Request) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("GET", ["api", "v1", "orders", order, "payment"]) => payment(request.principal()?, order),
        (_, ["api", "v1", "orders", _, "payment"]) => Err(Problem::method_not_allowed(&["GET"])),
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn payment(user: &str, order: &str) -> Result<Response, Problem> {
    let payment = if ids::is("ord", order) {
        service::find(order).ok()
    } else {
        None
    };
    payment
        .filter(|payment| payment.owner.as_deref() == Some(user))
        .map(|payment| json(200, &payment.balance()))
        .ok_or_else(|| none_yet(order))
}

/// The order may have been placed a moment ago, and what is asked about comes with its event.
fn none_yet(order: &str) -> Problem {
    let problem = Problem::not_found("there is no such payment");
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

    fn ask(user: &str, order: &str) -> Response {
        let request = Request::new("GET", &format!("/api/v1/orders/{order}/payment")).unwrap();
        rest::answer(&request.by(user), answer)
    }

    #[test]
    fn the_owner_sees_what_became_of_the_money_and_nobody_else() {
        let order = ids::new("ord");
        let early = ask("usr_1", &order);
        assert_eq!(
            (early.status, early.header("retry-after")),
            (404, Some("1"))
        );
        service::open(&order, "usr_1");
        insta::assert_snapshot!(String::from_utf8(ask("usr_1", &order).body).unwrap(), @r#"{"authorised":0,"captured":0,"voided":0,"refunded":0}"#);
        assert_eq!(ask("usr_2", &order).status, 404);
        let never = ask("usr_1", "ord_1");
        assert_eq!((never.status, never.header("retry-after")), (404, None));
    }

    #[test]
    fn who_is_not_logged_in_is_told_so() {
        let request = Request::new("GET", "/api/v1/orders/ord_1/payment").unwrap();
        assert_eq!(rest::answer(&request, answer).status, 401);
    }
}
