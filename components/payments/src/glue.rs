//! Translates between the host's world and ours; it decides nothing.

use std::time::Duration;

use sdk::{http_client, rest::Response};

use crate::{
    domain::{Balance, Charge, Command, Money, Refusal},
    provider::{Ask, Failure, Provider},
    routes, service,
};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit/payments", world: "payments" });
}

use bindings::exports::shop::payments::api;

/// Where the provider is; the manifest grants this address and no other.
const PROVIDER: &str = "http://psp.spin.internal";

/// A provider that takes longer is not well; asking again under the same key does no harm.
const TIMEOUT: Duration = Duration::from_secs(2);

struct Component;

struct HttpProvider;

impl Provider for HttpProvider {
    fn send(&self, ask: &Ask) -> Result<Response, String> {
        let url = format!("{PROVIDER}{}", ask.path);
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", ask.key.as_str()),
        ];
        http_client::send("POST", &url, &headers, &ask.body, TIMEOUT)
            .map_err(|error| error.to_string())
    }
}

impl api::Guest for Component {
    fn authorise(request: api::Request) -> Result<api::Balance, api::Error> {
        let total = Money {
            amount: request.total.amount,
            currency: request.total.currency,
        };
        let charge = Charge {
            user: request.user,
            total,
            token: request.token,
        };
        run(&request.order, &Command::Authorise(charge))
    }

    fn capture(order: String) -> Result<api::Balance, api::Error> {
        run(&order, &Command::Capture)
    }

    fn void(order: String) -> Result<(), api::Error> {
        run(&order, &Command::Void).map(|_| ())
    }

    fn refund(order: String) -> Result<(), api::Error> {
        run(&order, &Command::Refund).map(|_| ())
    }

    fn find(order: String) -> Result<api::Balance, api::Error> {
        let payment = service::find(&order).map_err(refusal)?;
        Ok(balance(payment.balance()))
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);

    #[spin_sdk::redis_subscriber]
    async fn receive(message: Vec<u8>) -> Result<(), sdk::events::HandlerError> {
        crate::subscriber::receive(&message)
    }
}

#[spin_sdk::http_service]
async fn serve(request: spin_sdk::http::Request) -> sdk::rest::Outgoing {
    sdk::rest::serve(request, routes::answer).await
}

/// A provider that cannot be reached is nobody's business decision: the call traps, and the host tries again.
fn run(order: &str, command: &Command) -> Result<api::Balance, api::Error> {
    match service::run(&HttpProvider, order, command) {
        Ok(sums) => Ok(balance(sums)),
        Err(Failure::Refused(reason)) => Err(refusal(reason)),
        Err(Failure::Unavailable(reason)) => {
            sdk::unavailable(&format!("payment provider: {reason}"))
        }
    }
}

fn balance(sums: Balance) -> api::Balance {
    api::Balance {
        authorised: sums.authorised,
        captured: sums.captured,
        voided: sums.voided,
        refunded: sums.refunded,
    }
}

fn refusal(refusal: Refusal) -> api::Error {
    match refusal {
        Refusal::Declined(reason) => api::Error::Declined(reason),
        Refusal::Invalid(reason) => api::Error::Invalid(reason),
        Refusal::WrongState(state) => api::Error::WrongState(state.to_owned()),
        Refusal::UnknownOrder(order) => api::Error::UnknownOrder(order),
    }
}
