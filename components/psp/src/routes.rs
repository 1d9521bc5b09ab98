//! The provider's HTTP interface. It is private: only the shop's payments reach it.

use sdk::{
    kv::Store,
    rest::{Problem, Request, Response, json, parse_body},
};

use crate::domain::{Account, Charge, Command, Delivery, Denial};

/// The component's only store; its keys are the shop's names for payments.
const STORE: &str = "psp";

/// No name of a payment is longer.
const LONGEST_NAME: usize = 128;

/// `POST /v1/payments/{payment}/{authorise|capture|void|refund}` and `GET /v1/payments/{payment}`,
/// with what is to become of the reply.
pub fn answer(request: &Request) -> Result<(Response, Delivery), Problem> {
    match (request.method(), request.segments().as_slice()) {
        (_, ["v1", "payments", payment, ..])
            if payment.is_empty() || payment.len() > LONGEST_NAME =>
        {
            Err(Problem::not_found("there is no such payment"))
        }
        ("POST", ["v1", "payments", payment, operation]) => operate(request, payment, operation),
        (_, ["v1", "payments", _, _]) => Err(Problem::method_not_allowed(&["POST"])),
        ("GET", ["v1", "payments", payment]) => Ok((books(payment)?, Delivery::Prompt)),
        (_, ["v1", "payments", _]) => Err(Problem::method_not_allowed(&["GET"])),
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn books(payment: &str) -> Result<Response, Problem> {
    let account: Option<Account> = Store::open(STORE).get(payment);
    let account = account.ok_or_else(|| Problem::not_found("there is no such payment"))?;
    Ok(json(200, &account.books()))
}

fn operate(
    request: &Request,
    payment: &str,
    operation: &str,
) -> Result<(Response, Delivery), Problem> {
    let command = match operation {
        "authorise" => Command::Authorise(parse_body::<Charge>(&request.body)?),
        "capture" => Command::Capture,
        "void" => Command::Void,
        "refund" => Command::Refund,
        _ => return Err(Problem::not_found("there is no such operation")),
    };
    let key = request
        .header("idempotency-key")
        .ok_or_else(|| Problem::bad_request("Idempotency-Key is missing"))?;
    let store = Store::open(STORE);
    let known: Option<Account> = store.get(payment);
    let account = known.unwrap_or_default();
    let outcome = account.serve(&command, key);
    if outcome.account != account {
        store.set(payment, &outcome.account);
    }
    match outcome.reply {
        Ok(books) => Ok((json(200, &books), outcome.delivery)),
        Err(denial) => Err(problem(&denial)),
    }
}

fn problem(denial: &Denial) -> Problem {
    let (status, slug, title) = match denial {
        Denial::Declined(_) => (402, "payment-declined", "Payment declined"),
        Denial::UnknownToken => (422, "unknown-token", "Unknown token"),
        Denial::UnknownPayment => (404, "not-found", "Not found"),
        Denial::Conflict(_) => (409, "conflict", "Conflict"),
        Denial::Busy => (503, "busy", "Busy"),
    };
    Problem::new(status, slug, title, denial.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(operation: &str, body: &str) -> Result<(Response, Delivery), Problem> {
        let request = Request::new("POST", &format!("/v1/payments/ord_1/{operation}")).unwrap();
        answer(
            &request
                .with_header("idempotency-key", operation)
                .with_body(body),
        )
    }

    fn charge(token: &str) -> String {
        format!(r#"{{"amount":1999,"currency":"EUR","token":"{token}"}}"#)
    }

    #[test]
    fn the_effect_is_written_although_the_reply_is_lost() {
        let (_, delivery) = post("authorise", &charge("tok_lost_reply")).unwrap();
        assert_eq!(delivery, Delivery::Lost);
        let (books, _) = answer(&Request::new("GET", "/v1/payments/ord_1").unwrap()).unwrap();
        insta::assert_snapshot!(String::from_utf8(books.body).unwrap(), @r#"{"currency":"EUR","authorised":1999,"captured":0,"voided":0,"refunded":0}"#);
    }

    #[test]
    fn each_denial_has_its_status() {
        let status = |token| post("authorise", &charge(token)).unwrap_err().status();
        assert_eq!(post("capture", "").unwrap_err().status(), 404);
        assert_eq!(status("tok_declined"), 402);
        assert_eq!(status("tok_nobody_knows"), 422);
        assert_eq!([status("tok_flaky"), status("tok_flaky")], [503, 503]);
        assert!(post("authorise", &charge("tok_flaky")).is_ok());
        assert_eq!(status("tok_ok"), 409);
        assert_eq!(post("authorise", "{}").unwrap_err().status(), 422);
        assert_eq!(post("steal", "").unwrap_err().status(), 404);
    }

    #[test]
    fn an_operation_needs_a_key() {
        let request = Request::new("POST", "/v1/payments/ord_1/void").unwrap();
        assert_eq!(answer(&request).unwrap_err().status(), 400);
    }
}
