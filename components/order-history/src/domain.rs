//! What is kept of an order, and how it grows with what is heard of it.
//!
//! A [`Record`] is a fold over the events of one order. What an order can go through happens to it once each, so an event
//! that is heard again changes nothing, and hearing all of them again from the first leaves everything as it is. Names are
//! not part of it: a [`Label`] is kept for each customer and product, and put beside the order when somebody reads.

pub mod index;
pub mod view;

use serde::{Deserialize, Serialize};

/// Reasons and names are cut to so many characters: more was never allowed where they are from.
const LONGEST_TEXT: usize = 500;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// In minor units.
    pub amount: u64,
    /// ISO 4217.
    pub currency: String,
}

/// So many pieces of one product, at the price of the moment the order was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What.
    pub sku: String,
    /// What it was called then.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Of one piece.
    pub price: Money,
}

/// What an order was placed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Whose order it is.
    pub user: String,
    /// What is bought.
    pub lines: Vec<Line>,
    /// For how much.
    pub total: Money,
    /// When: RFC 3339, UTC, milliseconds; so it sorts.
    pub at: String,
}

/// Something that an order goes through once at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Milestone {
    /// It is paid and on its way.
    Confirmed,
    /// It could not be.
    Rejected,
    /// Its customer wishes to cancel it.
    CancellationRequested,
    /// It is not wanted any more.
    Cancelled,
    /// It stays, though its customer wished otherwise.
    CancellationRefused,
    /// Its customer wishes to send it back.
    ReturnRequested,
    /// The goods and the money are back.
    Returned,
    /// The goods are not taken back.
    ReturnRefused,
}

/// A milestone that was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Which.
    pub event: Milestone,
    /// When: RFC 3339, UTC, milliseconds.
    pub at: String,
    /// Why, where there is a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// All that is known of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it was placed with, once that is known.
    pub placed: Option<Placed>,
    /// What it has gone through since, in the order it happened.
    pub reached: Vec<Reached>,
}

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The checkout is at work.
    Pending,
    /// It is paid and on its way.
    Confirmed,
    /// It could not be.
    Rejected,
    /// It was not wanted any more.
    Cancelled,
    /// It was taken back.
    Returned,
}

/// What a customer or a product is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The words.
    pub text: String,
    /// How many names there were before it; names that come late do not count.
    pub revision: u64,
}

// === impl Milestone ===

impl Milestone {
    /// What an event of this topic says, if it is about an order that was placed before.
    pub fn of_topic(topic: &str) -> Option<Self> {
        let what = topic.strip_prefix("shop.order.")?.strip_suffix(".v1")?;
        Some(match what {
            "confirmed" => Self::Confirmed,
            "rejected" => Self::Rejected,
            "cancellation-requested" => Self::CancellationRequested,
            "cancelled" => Self::Cancelled,
            "cancellation-refused" => Self::CancellationRefused,
            "return-requested" => Self::ReturnRequested,
            "returned" => Self::Returned,
            "return-refused" => Self::ReturnRefused,
            _ => return None,
        })
    }
}

// === impl Record ===

impl Record {
    /// The order was placed. An order is placed once: what is known already stays.
    pub fn place(&mut self, placed: Placed) {
        self.placed.get_or_insert(placed);
    }

    /// The order has reached a milestone; only the first time counts.
    pub fn reach(&mut self, mut reached: Reached) {
        if !self.has(reached.event) {
            reached.reason = reached.reason.as_deref().map(brief);
            self.reached.push(reached);
        }
    }

    /// How the order stands.
    pub fn status(&self) -> Status {
        // The last word comes first: a returned order was confirmed before, and so may be a cancelled one.
        let words = [
            (Milestone::Rejected, Status::Rejected),
            (Milestone::Cancelled, Status::Cancelled),
            (Milestone::Returned, Status::Returned),
            (Milestone::Confirmed, Status::Confirmed),
        ];
        let last = words.into_iter().find(|(event, _)| self.has(*event));
        last.map_or(Status::Pending, |(_, status)| status)
    }

    /// Why it was rejected, if it was.
    pub fn reason(&self) -> Option<&str> {
        let rejected = |reached: &&Reached| reached.event == Milestone::Rejected;
        self.reached.iter().find(rejected)?.reason.as_deref()
    }

    fn has(&self, event: Milestone) -> bool {
        self.reached.iter().any(|reached| reached.event == event)
    }
}

// === impl Label ===

impl Label {
    /// A name that followed `revision` others.
    pub fn new(text: &str, revision: u64) -> Self {
        Self {
            text: brief(text),
            revision,
        }
    }

    /// Whether it takes the place of what is known.
    pub fn replaces(&self, known: Option<&Self>) -> bool {
        known.is_none_or(|known| known.revision < self.revision)
    }
}

fn brief(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(event: Milestone, reason: Option<&str>) -> Reached {
        Reached {
            event,
            at: "2026-08-21T09:30:00.000Z".to_owned(),
            reason: reason.map(str::to_owned),
        }
    }

    fn after(events: &[Milestone]) -> Record {
        let mut record = Record::default();
        for event in events {
            record.reach(reached(*event, None));
        }
        record
    }

    #[test]
    fn the_last_word_about_an_order_is_its_status() {
        use Milestone::*;
        for (events, status) in [
            (&[][..], Status::Pending),
            (&[CancellationRequested], Status::Pending),
            (&[Confirmed], Status::Confirmed),
            (&[Rejected], Status::Rejected),
            (&[CancellationRequested, Cancelled], Status::Cancelled),
            (
                &[Confirmed, CancellationRequested, Cancelled],
                Status::Cancelled,
            ),
            (
                &[Confirmed, CancellationRequested, CancellationRefused],
                Status::Confirmed,
            ),
            (&[Confirmed, ReturnRequested], Status::Confirmed),
            (
                &[Confirmed, ReturnRequested, ReturnRefused],
                Status::Confirmed,
            ),
            (&[Confirmed, ReturnRequested, Returned], Status::Returned),
        ] {
            assert_eq!(after(events).status(), status, "{events:?}");
        }
    }

    #[test]
    fn only_the_first_time_counts_and_reasons_are_cut() {
        let mut record = Record::default();
        record.reach(reached(Milestone::Rejected, Some(&"ð".repeat(900))));
        record.reach(reached(Milestone::Rejected, Some("another")));
        assert_eq!(record.reached.len(), 1);
        assert_eq!(
            record.reason().map(|reason| reason.chars().count()),
            Some(500)
        );
    }

    #[test]
    fn a_name_that_comes_late_does_not_count() {
        let (first, second) = (Label::new("Egil", 0), Label::new("Skalla", 1));
        assert!(first.replaces(None) && second.replaces(Some(&first)));
        assert!(!first.replaces(Some(&second)) && !first.replaces(Some(&first)));
    }

    #[test]
    fn every_topic_about_an_order_but_its_beginning_is_a_milestone() {
        for topic in [
            "shop.order.placed.v1",
            "shop.order.confirmed.v2",
            "shop.cart.confirmed.v1",
        ] {
            assert_eq!(Milestone::of_topic(topic), None, "{topic}");
        }
        let topic = "shop.order.return-refused.v1";
        assert_eq!(Milestone::of_topic(topic), Some(Milestone::ReturnRefused));
    }
}
