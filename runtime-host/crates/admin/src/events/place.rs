//! Where somebody has read to: a place in each partition of the log, as one word that they hand back.

use std::{collections::BTreeMap, fmt, fmt::Write as _, str::FromStr, sync::Arc};

use skald_core::event::Partition;

use crate::failure::Failure;

/// The number of the last event read of each partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places(BTreeMap<Partition, u64>);

// === impl Places ===

impl Places {
    /// The place in a partition; one that has none is read from its beginning.
    pub(super) fn of(&self, partition: &Partition) -> u64 {
        self.0.get(partition).copied().unwrap_or(0)
    }

    /// Goes there.
    pub(super) fn set(&mut self, partition: &Partition, place: u64) {
        self.0.insert(Arc::clone(partition), place);
    }
}

/// `log@12`, with commas between partitions. What may stand in a name otherwise is written `%2C`.
impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (partition, place)) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_char(',')?;
            }
            f.write_str(&escaped(partition))?;
            write!(f, "@{place}")?;
        }
        Ok(())
    }
}

impl FromStr for Places {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            let what = "`after` is what the last page called so, and nothing else";
            Failure::BadPlace(what.to_owned())
        };
        let place = |part: &str| {
            let (partition, place) = part.rsplit_once('@')?;
            Some((Arc::from(unescaped(partition)?), place.parse().ok()?))
        };
        let parts = text.split(',').filter(|part| !part.is_empty());
        let places: Option<_> = parts.map(place).collect();
        places.map(Self).ok_or_else(wrong)
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._/$".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Places;

    #[test]
    fn places_survive_the_round_trip() {
        let mut places = Places::default();
        assert_eq!(places.to_string(), "");
        assert_eq!("".parse::<Places>().unwrap(), places);
        places.set(&Arc::from("orders/3"), u64::MAX);
        places.set(&Arc::from("a,b@1 %ö"), 0);
        let text = places.to_string();
        assert_eq!(
            text,
            "a%2Cb%401%20%25%C3%B6@0,orders/3@18446744073709551615"
        );
        assert_eq!(text.parse::<Places>().unwrap(), places);
        assert_eq!(places.of(&Arc::from("nowhere")), 0);
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in [
            "log", "log@", "log@x", "log@-1", "%zz@1", "%f@1", "%FF@1", "log@1;",
        ] {
            assert!(text.parse::<Places>().is_err(), "{text}");
        }
    }
}
