//! Carries records between the store, the rules and the provider.

use sdk::kv::Store;

use crate::{
    domain::{Balance, Command, Payment, Refusal, Step},
    provider::{self, Failure, Provider},
};

/// The component's only store; its keys are order ids.
const STORE: &str = "payments";

/// No order's id is longer. Ids become part of the provider's addresses, so they are checked at the door.
const LONGEST_ORDER: usize = 64;

/// Runs one command on the payment of `order`.
pub fn run(provider: &impl Provider, order: &str, command: &Command) -> Result<Balance, Failure> {
    check(order).map_err(Failure::Refused)?;
    let store = Store::open(STORE);
    let known: Option<Payment> = store.get(order);
    if known.is_none() && matches!(command, Command::Capture) {
        return Err(Failure::Refused(Refusal::UnknownOrder(order.to_owned())));
    }
    let payment = known.unwrap_or_default();
    match payment.decide(command).map_err(Failure::Refused)? {
        Step::Settled => Ok(payment.balance()),
        Step::Ask => {
            let receipt = provider::ask(provider, order, command)?;
            let payment = payment.after(command, &receipt).map_err(Failure::Refused)?;
            store.set(order, &payment);
            Ok(payment.balance())
        }
    }
}

/// Notes whose order it is, so that the owner may ask about it before anything has happened.
pub fn open(order: &str, user: &str) {
    let store = Store::open(STORE);
    let known: Option<Payment> = store.get(order);
    let owned = known.clone().unwrap_or_default().owned_by(user);
    if known.as_ref() != Some(&owned) {
        store.set(order, &owned);
    }
}

/// The payment of an order.
pub fn find(order: &str) -> Result<Payment, Refusal> {
    let known = check(order)
        .ok()
        .and_then(|()| Store::open(STORE).get(order));
    known.ok_or_else(|| Refusal::UnknownOrder(order.to_owned()))
}

fn check(order: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if order.is_empty() || order.len() > LONGEST_ORDER || !order.bytes().all(plain) {
        return Err(Refusal::Invalid("the order's id is not one".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
