//! An order as its owner sees it.

use serde::Serialize;

use super::{Line, Money, Recorded, Status, fold};

/// All there is to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View<'a> {
    /// Its id.
    pub id: &'a str,
    /// How it stands.
    pub status: Status,
    /// Why it was rejected, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it costs.
    pub total: Money,
    /// What is bought.
    pub lines: Vec<Line>,
    /// What has happened, oldest first.
    pub history: Vec<Entry>,
    /// Whether it is worth asking again soon.
    #[serde(skip)]
    pub is_changing: bool,
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When: RFC 3339, UTC.
    pub at: String,
    /// What, in one word.
    pub event: &'static str,
    /// Why, where a wish was made or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl<'a> View<'a> {
    /// The order after `events`, if there is one and it is this user's.
    pub fn of(id: &'a str, events: &[Recorded], user: &str) -> Option<Self> {
        let state = fold(events).filter(|state| state.placed.user == user)?;
        let entry = |recorded: &Recorded| Entry {
            at: sdk::clock::format(recorded.at),
            event: recorded.event.name(),
            reason: recorded.event.reason().map(str::to_owned),
        };
        Some(Self {
            id,
            is_changing: state.is_changing(),
            status: state.status,
            reason: state.reason,
            total: state.placed.total,
            lines: state.placed.lines,
            history: events.iter().map(entry).collect(),
        })
    }
}
