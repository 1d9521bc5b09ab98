//! Follows chains entry by entry. It knows neither files nor hosts.
//!
//! Of each chain the first thing that is wrong is told; after that there is nothing to follow. A chain whose entries fit
//! each other may still have been cut, or written anew as a whole: only heads that were kept elsewhere tell.

use std::{collections::BTreeMap, fmt};

use super::entry::{Entry, Head, digest, genesis};

/// Messages up to this length are in the record, longer ones only by their digest.
const LONGEST_PAYLOAD: u64 = 32 << 10;

/// How far the chains were followed.
#[derive(Debug, Default)]
pub(super) struct Verifier {
    chains: BTreeMap<u32, Chain>,
    expected: Vec<Expected>,
    findings: Vec<Finding>,
}

/// One chain, as far as it is right.
#[derive(Debug)]
struct Chain {
    head: Head,
    is_wrong: bool,
}

/// A head that is known, and from where.
#[derive(Debug)]
struct Expected {
    head: Head,
    from: String,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    place: Place,
    what: String,
    expected: String,
    found: String,
}

/// Where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Entry { chain: u32, number: u64 },
    Line(usize),
}

// === impl Verifier ===

impl Verifier {
    /// The chains have to go through these heads.
    pub(super) fn expect(&mut self, heads: Vec<Head>, from: &str) {
        let from = || from.to_owned();
        let expected = heads.into_iter();
        self.expected
            .extend(expected.map(|head| Expected { head, from: from() }));
    }

    /// The next entry of a chain.
    pub(super) fn take(&mut self, entry: &Entry) {
        let chain = self.chains.entry(entry.chain).or_insert_with(|| Chain {
            head: empty(entry.chain),
            is_wrong: false,
        });
        if chain.is_wrong {
            return;
        }
        let number = chain.head.entries + 1;
        let wrong = out_of_place(entry, &chain.head)
            .or_else(|| tampered(entry))
            .or_else(|| unexpected(entry, &self.expected));
        if let Some((what, expected, found)) = wrong {
            chain.is_wrong = true;
            self.findings.push(Finding {
                place: Place::Entry {
                    chain: entry.chain,
                    number,
                },
                what,
                expected,
                found,
            });
        } else {
            chain.head.entries = number;
            chain.head.hash.clone_from(&entry.hash);
        }
    }

    /// A line that is no entry.
    pub(super) fn take_unreadable(&mut self, line: usize, why: &str) {
        self.findings.push(Finding {
            place: Place::Line(line),
            what: "the entry".to_owned(),
            expected: "one that can be read".to_owned(),
            found: why.to_owned(),
        });
    }

    /// How far each chain is right, and what is wrong.
    pub(super) fn end(mut self) -> (Vec<Head>, Vec<Finding>) {
        for Expected { head, from } in &self.expected {
            let chain = self.chains.get(&head.chain);
            let entries = chain.map_or(0, |chain| chain.head.entries);
            let is_told = self.findings.iter().any(|told| told.is_about(head.chain));
            if entries < head.entries && !is_told {
                self.findings.push(Finding {
                    place: Place::Entry {
                        chain: head.chain,
                        number: entries + 1,
                    },
                    what: format!("the number of entries, by {from}"),
                    expected: format!("{} or more", head.entries),
                    found: entries.to_string(),
                });
            }
        }
        let heads = self.chains.into_values().map(|chain| chain.head).collect();
        (heads, self.findings)
    }
}

/// What was wrong, what it should be and what it is.
type Wrong = Option<(String, String, String)>;

fn differs<T: PartialEq + ToString + ?Sized>(what: &str, expected: &T, found: &T) -> Wrong {
    (expected != found).then(|| (what.to_owned(), expected.to_string(), found.to_string()))
}

fn empty(chain: u32) -> Head {
    Head {
        chain,
        entries: 0,
        hash: genesis(chain),
    }
}

/// Whether it is the one after `head`.
fn out_of_place(entry: &Entry, head: &Head) -> Wrong {
    differs("its number", &(head.entries + 1), &entry.number)
        .or_else(|| differs("the hash of the entry before", &head.hash, &entry.previous))
}

/// Whether it is as it was written.
fn tampered(entry: &Entry) -> Wrong {
    let size = entry.payload_size;
    let payload = match &entry.payload {
        Some(payload) => differs("the size of its payload", &size, &(payload.len() as u64))
            .or_else(|| {
                let found = digest(payload.as_bytes());
                differs("the digest of its payload", &entry.payload_digest, &found)
            }),
        None if size > LONGEST_PAYLOAD => None,
        None => differs("its payload", format!("{size} bytes").as_str(), "none"),
    };
    payload.or_else(|| differs("its hash", &entry.proper_hash(), &entry.hash))
}

/// Whether it is another entry than a head says that was kept.
fn unexpected(entry: &Entry, expected: &[Expected]) -> Wrong {
    let here = |expected: &&Expected| {
        (expected.head.chain, expected.head.entries) == (entry.chain, entry.number)
    };
    expected.iter().filter(here).find_map(|expected| {
        let what = format!("its hash, by {}", expected.from);
        differs(&what, &expected.head.hash, &entry.hash)
    })
}

// === impl Finding ===

impl Finding {
    fn is_about(&self, of: u32) -> bool {
        matches!(self.place, Place::Entry { chain, .. } if chain == of)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            expected,
            found,
            ..
        } = self;
        match self.place {
            Place::Entry { chain, number } => write!(f, "  chain {chain}, entry {number}: ")?,
            Place::Line(line) => write!(f, "  line {line}: ")?,
        }
        write!(f, "{what}: expected {expected}, found {found}")
    }
}

#[cfg(test)]
mod tests;
