//! The payment provider: what is sent to it, and what its answers mean. Sending is the port [`Provider`].

use sdk::rest::Response;
use serde::Serialize;
use serde_json::Value;

use crate::domain::{Command, Receipt, Refusal};

/// Sends a request to the provider and waits for its answer.
pub trait Provider {
    /// Asks; the error is why there is no answer.
    fn send(&self, ask: &Ask) -> Result<Response, String>;
}

/// One request to the provider, always a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The path of its address.
    pub path: String,
    /// Equal for every attempt of the same operation of the same order, so that it happens once.
    pub key: String,
    /// JSON, or nothing.
    pub body: Vec<u8>,
}

/// Why the provider has not done what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It will not; trying again is of no use.
    Refused(Refusal),
    /// It cannot be reached, or is not well; nobody knows whether it has acted.
    Unavailable(String),
}

#[derive(Serialize)]
struct ChargeBody<'a> {
    amount: u64,
    currency: &'a str,
    token: &'a str,
}

/// Has the provider act, and reads its receipt.
pub fn ask(provider: &impl Provider, order: &str, command: &Command) -> Result<Receipt, Failure> {
    let response = provider
        .send(&Ask::new(order, command))
        .map_err(Failure::Unavailable)?;
    match response.status {
        200 => serde_json::from_slice(&response.body)
            .map_err(|error| Failure::Unavailable(format!("the receipt cannot be read: {error}"))),
        402 => Err(Failure::Refused(Refusal::Declined(detail(
            &response,
            "the payment was declined",
        )))),
        // Too early, too much, too long: none of these is about the payment.
        408 | 425 | 429 => Err(Failure::Unavailable(detail(
            &response,
            "the provider is busy",
        ))),
        400..=499 => Err(Failure::Refused(Refusal::Invalid(detail(
            &response,
            "the provider refused",
        )))),
        status => Err(Failure::Unavailable(format!(
            "the provider answered {status}"
        ))),
    }
}

impl Ask {
    /// The request for `command`.
    pub fn new(order: &str, command: &Command) -> Self {
        let operation = command.name();
        let body = match command {
            Command::Authorise(charge) => {
                let (total, token) = (&charge.total, charge.token.as_str());
                let body = ChargeBody {
                    amount: total.amount,
                    currency: &total.currency,
                    token,
                };
                sdk::rest::json(200, &body).body
            }
            Command::Capture | Command::Void | Command::Refund => Vec::new(),
        };
        Self {
            path: format!("/v1/payments/{order}/{operation}"),
            key: format!("{order}-{operation}"),
            body,
        }
    }
}

fn detail(response: &Response, otherwise: &str) -> String {
    match response.body_json().get("detail") {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(_) | None => otherwise.to_owned(),
    }
}
