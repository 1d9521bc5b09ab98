//! An order as its customer reads it, with the names of now.

use serde::Serialize;

use super::{Line, Milestone, Money, Placed, Record, Status};

/// All there is to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// The order's id.
    pub id: String,
    /// How it stands.
    pub status: Status,
    /// Why it was rejected, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whose it is.
    pub customer: Customer,
    /// What is bought.
    pub lines: Vec<Item>,
    /// For how much.
    pub total: Money,
    /// When it was placed.
    pub placed_at: String,
    /// What has happened, oldest first.
    pub history: Vec<Entry>,
}

/// Whose order it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// `usr_…`.
    pub id: String,
    /// What they are called now; absent until that is heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What.
    pub sku: String,
    /// What it is called now.
    pub title: String,
    /// What it was called when it was ordered, if that was something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered_as: Option<String>,
    /// How many.
    pub quantity: u32,
    /// Of one piece.
    pub price: Money,
    /// Of all of them.
    pub amount: Money,
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When: RFC 3339, UTC.
    pub at: String,
    /// What, in one word.
    pub event: Event,
    /// Why, where there is a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What can have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// The beginning.
    Placed(Beginning),
    /// What came after it.
    Reached(Milestone),
}

/// How every order begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beginning {
    /// It was placed.
    Placed,
}

/// The order with the names of now; `name` is the customer's, `title` says what a product is called. Nothing as long as
/// it is not known what was ordered.
pub fn of(
    id: &str,
    record: &Record,
    name: Option<&str>,
    title: impl Fn(&str) -> Option<String>,
) -> Option<View> {
    let placed = record.placed.as_ref()?;
    Some(View {
        id: id.to_owned(),
        status: record.status(),
        reason: record.reason().map(str::to_owned),
        customer: Customer {
            id: placed.user.clone(),
            name: name.map(str::to_owned),
        },
        lines: placed.lines.iter().map(|line| item(line, &title)).collect(),
        total: placed.total.clone(),
        placed_at: placed.at.clone(),
        history: history(placed, record),
    })
}

fn item(line: &Line, title: impl Fn(&str) -> Option<String>) -> Item {
    let title = title(&line.sku).unwrap_or_else(|| line.name.clone());
    Item {
        sku: line.sku.clone(),
        ordered_as: (title != line.name).then(|| line.name.clone()),
        title,
        quantity: line.quantity,
        price: line.price.clone(),
        amount: Money {
            // Orders have a total that can be counted, so each line has.
            amount: line.price.amount.saturating_mul(line.quantity.into()),
            currency: line.price.currency.clone(),
        },
    }
}

fn history(placed: &Placed, record: &Record) -> Vec<Entry> {
    let beginning = Entry {
        at: placed.at.clone(),
        event: Event::Placed(Beginning::Placed),
        reason: None,
    };
    let since = record.reached.iter().map(|reached| Entry {
        at: reached.at.clone(),
        event: Event::Reached(reached.event),
        reason: reached.reason.clone(),
    });
    std::iter::once(beginning).chain(since).collect()
}
