//! Tokens that were found good, so that the next request with one costs a digest instead of a signature.
//!
//! Only digests are kept: a token is a password for as long as it lives, and has no place in memory. Only good tokens
//! get in, so nobody can fill it with rubbish.

use std::{collections::HashMap, mem, time::SystemTime};

use sha2::{Digest as _, Sha256};

use super::Verified;

/// The digest of a token.
pub(super) type Digest = [u8; 32];

/// A token that was found good.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) verified: Verified,
    pub(super) expires: SystemTime,
    /// The key set that it was checked with.
    pub(super) generation: u64,
}

/// The tokens seen lately. Two maps stand in for an order by last use: when the young one is full it becomes the old
/// one, and what is in the old one and was not asked for since then goes.
#[derive(Debug, Default)]
pub(super) struct Seen {
    young: HashMap<Digest, Entry>,
    old: HashMap<Digest, Entry>,
}

/// Users at once that cost no signature; both maps together stay below 1 MiB.
const YOUNG: usize = 2048;

pub(super) fn digest(token: &str) -> Digest {
    Sha256::digest(token).into()
}

// === impl Seen ===

impl Seen {
    /// The subject of a token, if it is still good now and with this key set.
    pub(super) fn find(
        &mut self,
        digest: &Digest,
        generation: u64,
        now: SystemTime,
    ) -> Option<Verified> {
        if let Some(entry) = self.old.remove(digest) {
            self.insert(*digest, entry);
        }
        let entry = self.young.get(digest)?;
        (entry.expires > now && entry.generation == generation).then(|| entry.verified.clone())
    }

    pub(super) fn insert(&mut self, digest: Digest, entry: Entry) {
        if self.young.len() >= YOUNG {
            self.old = mem::take(&mut self.young);
        }
        // An older entry would come back as the newer one.
        self.old.remove(&digest);
        self.young.insert(digest, entry);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{Entry, Seen, Verified, YOUNG, digest};

    fn entry(subject: &str) -> Entry {
        let expires = UNIX_EPOCH + Duration::from_secs(100);
        Entry {
            verified: Verified::new(subject).unwrap(),
            expires,
            generation: 1,
        }
    }

    #[test]
    fn a_token_is_good_until_it_expires_or_the_keys_change() {
        let mut seen = Seen::default();
        seen.insert(digest("a"), entry("alice"));
        let at = |second| UNIX_EPOCH + Duration::from_secs(second);
        assert!(seen.find(&digest("a"), 1, at(99)).is_some());
        assert!(seen.find(&digest("a"), 1, at(100)).is_none());
        assert!(seen.find(&digest("a"), 2, at(99)).is_none());
        assert!(seen.find(&digest("b"), 1, at(99)).is_none());
    }

    #[test]
    fn it_has_a_bound_and_keeps_what_is_used() {
        let mut seen = Seen::default();
        seen.insert(digest("used"), entry("alice"));
        seen.insert(digest("unused"), entry("bob"));
        for number in 0..10 * YOUNG {
            seen.insert(digest(&number.to_string()), entry("carol"));
            assert!(seen.find(&digest("used"), 1, UNIX_EPOCH).is_some());
        }
        assert!(seen.find(&digest("unused"), 1, UNIX_EPOCH).is_none());
        assert!(seen.young.len() + seen.old.len() <= 2 * YOUNG);
    }
}
