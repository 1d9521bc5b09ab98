//! Where mailboxes are kept: a count for each, and one document for each entry, so that no document grows.

use sdk::kv::Store;

use crate::domain::{self, Entry};

/// The label of the store.
const STORE: &str = "notifications";

/// The store of mailboxes.
#[derive(Debug)]
pub struct Mailboxes(Store);

impl Mailboxes {
    /// Opens it.
    pub fn open() -> Self {
        Self(Store::open(STORE))
    }

    /// Puts an entry on top; one that is there already stays where it is.
    pub fn add(&self, user: &str, entry: &Entry) {
        let mark = format!("seen/{user}/{}", entry.id);
        if self.0.exists(&mark) {
            return;
        }
        let count = self.count(user);
        self.0.set(&mark, &count);
        self.0.set(&entry_key(user, count), entry);
        self.0.set(&count_key(user), &(count + 1));
    }

    /// A page of entries, newest first, and where the next one begins.
    pub fn page(&self, user: &str, before: Option<u64>, size: u64) -> (Vec<Entry>, Option<u64>) {
        let (numbers, next) = domain::page(self.count(user), before, size);
        let keys: Vec<String> = numbers
            .iter()
            .map(|number| entry_key(user, *number))
            .collect();
        let entries = self.0.get_many(&keys).into_iter().flatten().collect();
        (entries, next)
    }

    fn count(&self, user: &str) -> u64 {
        self.0.get(&count_key(user)).unwrap_or(0)
    }
}

fn count_key(user: &str) -> String {
    format!("count/{user}")
}

fn entry_key(user: &str, number: u64) -> String {
    format!("entry/{user}/{number}")
}
