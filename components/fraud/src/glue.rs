//! Translates between the host's world and ours; it decides nothing.

use sdk::clock;

use crate::{
    domain::{Assessment, Money, Reason, Refusal, Request, Verdict, doorstep::Address},
    screening::Screening,
};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit/fraud", world: "fraud" });
}

use bindings::exports::shop::fraud::api;

struct Component;

impl api::Guest for Component {
    fn screen(request: api::Request) -> Result<api::Verdict, api::Error> {
        let api::Request {
            order,
            user,
            total,
            ship_to,
        } = request;
        let total = Money {
            amount: total.amount,
            currency: total.currency,
        };
        let request = Request { order, user, total };
        let to = Address {
            street: &ship_to.street,
            city: &ship_to.city,
            postal_code: &ship_to.postal_code,
            country: &ship_to.country,
        };
        let verdict = Screening::open(now()).screen(&request, &to);
        verdict.map(said).map_err(refusal)
    }

    fn withdraw(order: String) -> Result<(), api::Error> {
        Screening::open(now()).withdraw(&order).map_err(refusal)
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);

    #[spin_sdk::redis_subscriber]
    async fn receive(message: Vec<u8>) -> Result<(), sdk::events::HandlerError> {
        crate::subscriber::receive(&message, super::now())
    }
}

fn now() -> u64 {
    clock::millis(clock::now())
}

fn said(verdict: Verdict) -> api::Verdict {
    match verdict {
        Verdict::Approved(assessment) => api::Verdict::Approved(weighed(assessment)),
        Verdict::Declined(assessment) => api::Verdict::Declined(weighed(assessment)),
    }
}

fn weighed(assessment: Assessment) -> api::Assessment {
    api::Assessment {
        score: assessment.score,
        reasons: assessment.reasons.into_iter().map(reason).collect(),
    }
}

fn reason(reason: Reason) -> api::Reason {
    match reason {
        Reason::AboveLimit(amount) => api::Reason::AboveLimit(amount),
        Reason::UnusualAmount(times) => api::Reason::UnusualAmount(times),
        Reason::ManyOrders(orders) => api::Reason::ManyOrders(orders),
        Reason::MuchSpent(spent) => api::Reason::MuchSpent(spent),
        Reason::ManyRejections(rejections) => api::Reason::ManyRejections(rejections),
        Reason::SharedAddress(customers) => api::Reason::SharedAddress(customers),
        Reason::LargeFirstOrder(amount) => api::Reason::LargeFirstOrder(amount),
    }
}

fn refusal(refusal: Refusal) -> api::Error {
    match refusal {
        Refusal::Invalid(reason) => api::Error::Invalid(reason),
        Refusal::Withdrawn(order) => api::Error::Withdrawn(order),
    }
}
