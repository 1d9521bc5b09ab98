//! The names of keys, and how numbers and times are written.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// The place of what belongs to the host as a whole.
pub(crate) const HOST: &str = "$host";

/// The place of the events that others published.
pub(crate) const OUTSIDE: &str = "$outside";

/// The keys of one application.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    application: Arc<str>,
}

// === impl Keys ===

impl Keys {
    pub(crate) fn new(application: &str) -> Self {
        Self {
            application: application.into(),
        }
    }

    /// How all keys of a place begin, without the colon that comes next. What is between the braces decides which
    /// server of a cluster has the key.
    pub(crate) fn place(&self, place: &str) -> String {
        format!("skald:{}:{{{place}}}", self.application)
    }

    /// The channel on which nodes tell each other of the events that their own commits publish.
    pub(crate) fn own_channel(&self) -> String {
        format!("skald:{}:own", self.application)
    }
}

/// A number with as many digits as the largest has, so that the order of the texts is the order of the numbers.
pub(crate) fn padded(number: u64) -> String {
    format!("{number:020}")
}

/// Microseconds since 1970: exact enough for people and for backoff.
pub(crate) fn micros(time: SystemTime) -> i64 {
    let saturate = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => saturate(since),
        Err(before) => -saturate(before.duration()),
    }
}

/// The time that [`micros`] wrote.
pub(crate) fn time(micros: i64) -> Option<SystemTime> {
    let distance = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

/// Which of a place's streams the events of a key are in: the FNV-1a hash of the key, 32 bits, modulo the streams. It is
/// written out since data outlives programs.
pub(crate) fn shard(key: &str, shards: u32) -> u32 {
    let hash = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.checked_rem(shards).unwrap_or(0)
}
