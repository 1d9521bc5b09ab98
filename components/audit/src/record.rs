//! Where the chains are kept.
//!
//! Keys: `head/<chain>` is where a chain ends, `entry/<chain>/<number>` is an entry, and `seen/<digest>` says that a message
//! has one. Entries and marks are written once and never again; adding to a chain changes its head alone.

use sdk::kv::Store;

use crate::domain::{self, CHAINS, Entry, Head, Message};

/// The label of the store.
const STORE: &str = "audit";

/// All chains.
#[derive(Debug)]
pub struct Record(Store);

impl Record {
    /// Opens it.
    pub fn open() -> Self {
        Self(Store::open(STORE))
    }

    /// Adds a message to its chain, unless it is there already.
    pub fn add(&self, message: Message, now: String) {
        let mark = format!("seen/{}", message.mark().as_str());
        if self.0.exists(&mark) {
            return;
        }
        let head = self.head(domain::chain_of(&message.event.subject));
        let (entry, head) = head.append(message, now);
        self.0.set(&mark, &entry.number);
        self.0.set(&entry_key(entry.chain, entry.number), &entry);
        self.0.set(&head_key(head.chain), &head);
    }

    /// At most `size` entries of a chain after number `after`, and whether there are more.
    pub fn page(&self, chain: u32, after: u64, size: u64) -> (Vec<Entry>, bool) {
        let (numbers, more) = domain::page(self.head(chain).entries, after, size);
        let keys: Vec<String> = numbers
            .into_iter()
            .map(|number| entry_key(chain, number))
            .collect();
        (self.0.get_many(&keys).into_iter().flatten().collect(), more)
    }

    /// Where each chain ends.
    pub fn heads(&self) -> Vec<Head> {
        let keys: Vec<String> = (0..CHAINS).map(head_key).collect();
        let heads = self.0.get_many(&keys).into_iter();
        heads
            .zip(0..)
            .map(|(head, chain)| head.unwrap_or_else(|| Head::new(chain)))
            .collect()
    }

    fn head(&self, chain: u32) -> Head {
        let head = self.0.get(&head_key(chain));
        head.unwrap_or_else(|| Head::new(chain))
    }
}

fn head_key(chain: u32) -> String {
    format!("head/{chain:02}")
}

fn entry_key(chain: u32, number: u64) -> String {
    format!("entry/{chain:02}/{number:012}")
}
