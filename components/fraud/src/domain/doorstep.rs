//! An address, and which customers have ordered to it of late.

use serde::{Deserialize, Serialize};

/// So many customers of one address are remembered at most, whatever the limit is.
const MOST: usize = 256;

/// The latest customers of an address, who came first first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doorstep {
    visits: Vec<Visit>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Visit {
    user: String,
    at: u64,
}

/// Where an order goes.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    /// Street and number.
    pub street: &'a str,
    /// The place.
    pub city: &'a str,
    /// As the country writes it.
    pub postal_code: &'a str,
    /// ISO 3166-1 alpha-2.
    pub country: &'a str,
}

impl Doorstep {
    /// Takes down that this customer orders to the address. As many are kept as it takes to exceed `limit`.
    ///
    /// An address that a crowd orders to must not become the one key that all of them write. So nothing changes where nothing
    /// would become of it: for who was here a short while ago, and where there have been too many lately anyway.
    pub fn visit(&mut self, user: &str, limit: u64, window: u64, now: u64) {
        if limit == 0 {
            return;
        }
        let most = usize::try_from(limit).map_or(MOST, |limit| limit.saturating_add(1).min(MOST));
        let known = self.visits.iter().find(|visit| visit.user == user);
        let is_settled = match known {
            Some(visit) => visit.is_within(window / 4, now),
            None => {
                let lately = self.visits.iter();
                let lately = lately.filter(|visit| visit.is_within(window / 2, now));
                lately.count() >= most
            }
        };
        if is_settled {
            return;
        }
        self.visits
            .retain(|visit| visit.user != user && visit.is_within(window, now));
        self.visits.push(Visit {
            user: user.to_owned(),
            at: now,
        });
        let surplus = self.visits.len().saturating_sub(most);
        self.visits.drain(..surplus);
    }

    /// How many customers have ordered to the address within the window, with this one.
    pub fn customers_with(&self, user: &str, window: u64, now: u64) -> u32 {
        let others = self.visits.iter();
        let others = others.filter(|visit| visit.user != user && visit.is_within(window, now));
        u32::try_from(others.count())
            .unwrap_or(u32::MAX)
            .saturating_add(1)
    }
}

impl Visit {
    fn is_within(&self, window: u64, now: u64) -> bool {
        now < self.at.saturating_add(window)
    }
}

impl Address<'_> {
    /// The same for all ways to write an address: neither case nor blanks nor punctuation tell one door from another. The
    /// name does not either: whose names are on a door is nobody's business.
    pub fn normal(&self) -> String {
        let parts = [self.country, self.postal_code, self.city, self.street];
        parts.map(letters).join("/")
    }
}

fn letters(text: &str) -> String {
    let kept = text.chars().filter(|letter| letter.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}
