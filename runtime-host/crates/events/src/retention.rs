//! Lets go of events that are old, or too many, once every subscriber is done with them.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use skald_core::{
    event::{
        Book, EventLog, Interest, Partition,
        archive::{Archive, Keep},
    },
    store::StoreError,
};

#[cfg(test)]
mod tests;

/// What of the log is kept, beside what some subscriber has yet to handle. Without either, that is everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events that are younger.
    pub age: Option<Duration>,
    /// So many bytes of messages, the newest.
    pub bytes: Option<u64>,
}

// === impl Retention ===

impl Retention {
    /// Whether nothing is ever let go of.
    pub const fn is_endless(&self) -> bool {
        self.age.is_none() && self.bytes.is_none()
    }

    /// What is kept of one of `parts` partitions whose slowest subscriber is done with everything up to `floor`.
    pub fn keep(&self, floor: u64, parts: usize, now: SystemTime) -> Keep {
        // A time before all times is one that nothing is older than.
        let since = |age| now.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        let parts = u64::try_from(parts).unwrap_or(u64::MAX).max(1);
        Keep {
            after: floor,
            since: self.age.map(since),
            bytes: self.bytes.map(|bytes| bytes / parts),
        }
    }

    /// Lets go of what need not be kept, and answers how many events those were. `interests` are all there are in the
    /// application: a subscriber that is not among them is not waited for.
    pub async fn trim(
        &self,
        archive: &dyn Archive,
        log: &dyn EventLog,
        interests: &[Interest],
        now: SystemTime,
    ) -> Result<u64, StoreError> {
        if self.is_endless() {
            return Ok(0);
        }
        let parts = archive.parts().await?;
        let floors = floors(log, interests).await?;
        let mut gone = 0;
        for partition in &parts {
            // Where nobody listens, nobody is waited for.
            let floor = floors.get(partition).copied().unwrap_or(u64::MAX);
            if floor > 0 {
                let keep = self.keep(floor, parts.len(), now);
                gone += archive.trim(partition, keep).await?;
            }
        }
        Ok(gone)
    }
}

/// How far the slowest subscriber of each partition has come.
async fn floors(
    log: &dyn EventLog,
    interests: &[Interest],
) -> Result<HashMap<Partition, u64>, StoreError> {
    let mut floors = HashMap::new();
    for interest in interests {
        for partition in log.partitions(interest).await? {
            let book = Book {
                group: Arc::clone(&interest.group),
                partition: Arc::clone(&partition),
            };
            let cursor = log.progress(&book).await?.cursor;
            let floor = floors.entry(partition).or_insert(cursor);
            *floor = cursor.min(*floor);
        }
    }
    Ok(floors)
}
