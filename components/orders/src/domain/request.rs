//! What customers send to place an order, and what is wrong with it.

use sdk::rest::Problem;
use serde::Deserialize;

use super::Address;

/// No part of an address is longer.
const LONGEST_PART: usize = 200;

/// No token is longer.
const LONGEST_TOKEN: usize = 256;

/// As long as the gateway lets in; it becomes part of a key in the cart's store, which has room for four times that.
const LONGEST_KEY: usize = 255;

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

/// A place in the request where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A JSON Pointer.
    pub pointer: &'static str,
    /// In words.
    pub detail: String,
}

impl PlaceRequest {
    /// Refuses a key that cannot be kept, and a request with faults.
    pub fn check(&self, key: &str) -> Result<(), Problem> {
        if key.is_empty() || key.len() > LONGEST_KEY {
            let detail = format!("Idempotency-Key has to have 1 to {LONGEST_KEY} characters");
            return Err(Problem::bad_request(detail));
        }
        let faults = self.faults();
        if faults.is_empty() {
            return Ok(());
        }
        let problem = Problem::unprocessable("the order breaks a rule");
        Err(faults.iter().fold(problem, |problem, fault| {
            problem.with_error(fault.pointer, fault.detail.as_str())
        }))
    }

    /// All that is wrong, at once.
    pub fn faults(&self) -> Vec<Fault> {
        let to = &self.ship_to;
        let texts = [
            ("/payment/token", &self.payment.token, LONGEST_TOKEN),
            ("/ship_to/name", &to.name, LONGEST_PART),
            ("/ship_to/street", &to.street, LONGEST_PART),
            ("/ship_to/city", &to.city, LONGEST_PART),
            ("/ship_to/postal_code", &to.postal_code, LONGEST_PART),
        ];
        let mut faults: Vec<Fault> = texts
            .into_iter()
            .filter(|(_, text, longest)| text.trim().is_empty() || text.chars().count() > *longest)
            .map(|(pointer, _, longest)| Fault {
                pointer,
                detail: format!("has to have 1 to {longest} characters"),
            })
            .collect();
        if to.country.len() != 2 || !to.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            faults.push(Fault {
                pointer: "/ship_to/country",
                detail: "has to be two upper-case letters".to_owned(),
            });
        }
        faults
    }
}
