//! What is known of one order, and how that moves its customer's history.

use serde::{Deserialize, Serialize};

use super::{Customer, Doorstep, Limits, Money, Refusal, Request, Verdict, assess};

/// One order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The order, once it is counted.
    placed: Option<Placed>,
    /// What its screening said, once it was screened.
    verdict: Option<Verdict>,
    /// Whether it will not be screened any more.
    is_withdrawn: bool,
    /// The last thing that happened to it.
    outcome: Option<Outcome>,
}

/// An order that is counted among its customer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Placed {
    user: String,
    total: Money,
    /// The slot of the customer's history it is in.
    slot: u64,
    /// Whether its total counts as spent.
    is_spent: bool,
}

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is paid and on its way.
    Confirmed,
    /// It could not be.
    Rejected,
    /// It was not wanted any more.
    Cancelled,
    /// It came back.
    Returned,
}

/// What an order is weighed by.
#[derive(Clone, Copy, Debug)]
pub struct Scale<'a> {
    /// Where it goes.
    pub doorstep: &'a Doorstep,
    /// The limits.
    pub limits: &'a Limits,
    /// When it is weighed.
    pub now: u64,
}

impl Record {
    /// Whose order it is, once that is known.
    pub fn user(&self) -> Option<&str> {
        self.placed.as_ref().map(|placed| placed.user.as_str())
    }

    /// Whether its total counts as spent.
    pub fn is_spent(&self) -> bool {
        self.placed.as_ref().is_some_and(|placed| placed.is_spent)
    }

    /// The order was placed at `at`. It is counted once.
    pub fn place(
        &mut self,
        customer: &mut Customer,
        request: &Request,
        at: u64,
        (limits, now): (&Limits, u64),
    ) {
        if self.placed.is_some() {
            return;
        }
        let slot = customer.place(&request.total, at, limits.window, now);
        self.placed = Some(Placed {
            user: request.user.clone(),
            total: request.total.clone(),
            slot,
            is_spent: true,
        });
        // It was withdrawn before anybody had heard of it.
        if self.is_withdrawn {
            self.give_back(customer);
        }
    }

    /// Weighs the order, once.
    pub fn screen(
        &mut self,
        customer: &mut Customer,
        request: &Request,
        scale: Scale<'_>,
    ) -> Result<Verdict, Refusal> {
        request.check()?;
        self.check_same(request)?;
        if self.is_withdrawn {
            return Err(Refusal::Withdrawn(request.order.clone()));
        }
        if let Some(verdict) = &self.verdict {
            return Ok(verdict.clone());
        }
        let Scale {
            doorstep,
            limits,
            now,
        } = scale;
        self.place(customer, request, now, (limits, now));
        let verdict = assess(request, customer, doorstep, limits, now);
        if matches!(verdict, Verdict::Declined(_)) {
            self.give_back(customer);
        }
        self.verdict = Some(verdict.clone());
        Ok(verdict)
    }

    /// The order will not be paid for, and not be screened any more.
    pub fn withdraw(&mut self, customer: &mut Customer) {
        self.is_withdrawn = true;
        self.give_back(customer);
    }

    /// Takes down what happened to the order at `at`; hearing it again changes nothing. Nothing happens to orders that
    /// nobody has placed.
    pub fn end(
        &mut self,
        customer: &mut Customer,
        order: &str,
        outcome: Outcome,
        (at, limits): (u64, &Limits),
    ) {
        if self.outcome == Some(outcome) {
            return;
        }
        let Some(placed) = &self.placed else {
            return;
        };
        match outcome {
            Outcome::Confirmed => customer.buy(order, &placed.total),
            Outcome::Rejected => {
                self.take_back(customer, order);
                if matches!(self.verdict, Some(Verdict::Approved(_))) {
                    customer.reject(at, limits.window);
                }
            }
            Outcome::Cancelled | Outcome::Returned => self.take_back(customer, order),
        }
        self.outcome = Some(outcome);
    }

    fn take_back(&mut self, customer: &mut Customer, order: &str) {
        customer.forget(order);
        self.give_back(customer);
    }

    fn give_back(&mut self, customer: &mut Customer) {
        if let Some(placed) = self.placed.as_mut().filter(|placed| placed.is_spent) {
            placed.is_spent = false;
            customer.give_back(&placed.total, placed.slot);
        }
    }

    fn check_same(&self, request: &Request) -> Result<(), Refusal> {
        let known = self.placed.as_ref();
        if known.is_some_and(|placed| placed.user != request.user || placed.total != request.total)
        {
            return Err(Refusal::Invalid(format!(
                "order {} was another customer's, or over another amount",
                request.order
            )));
        }
        Ok(())
    }
}
