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
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When: RFC 3339, UTC.
    pub at: String,
    /// What, in one word.
    pub event: &'static str,
}

impl<'a> View<'a> {
    /// The order after `events`, if there is one and it is this user's.
    pub fn of(id: &'a str, events: &[Recorded], user: &str) -> Option<Self> {
        let state = fold(events).filter(|state| state.placed.user == user)?;
        let entry = |recorded: &Recorded| Entry {
            at: sdk::clock::format(recorded.at),
            event: recorded.event.name(),
        };
        Some(Self {
            id,
            status: state.status,
            reason: state.reason,
            total: state.placed.total,
            lines: state.placed.lines,
            history: events.iter().map(entry).collect(),
        })
    }
}
