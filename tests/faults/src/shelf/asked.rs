//! What is asked of real journals, too: they have to say the same as those in memory.

use std::fmt;

use bytes::Bytes;
use skald_core::{
    saga::{
        RunId,
        journal::{Append, AppendError, Filter, Summary},
    },
    store::StoreError,
};

use super::Shelf;

impl Shelf {
    /// Both have to say the same.
    pub(super) fn keep(&self, append: Append) -> Result<(), AppendError> {
        let Some(servers) = &self.servers else {
            return self.rows.lock().append(append);
        };
        let kept = servers.append(append.clone());
        let expected = self.rows.lock().append(append);
        self.compare("append", &kept, &expected);
        kept
    }

    pub(super) fn list_of(&self, filter: &Filter) -> Result<Vec<Summary>, StoreError> {
        let expected = self.chosen(filter);
        let Some(servers) = &self.servers else {
            return Ok(expected);
        };
        let list = servers.list(filter);
        self.compare("list", &list, &Ok::<_, StoreError>(expected));
        list
    }

    pub(super) fn find_of(&self, run: &RunId) -> Result<Option<Summary>, StoreError> {
        let rows = self.rows.lock();
        let expected = rows.kept.get(run).map(|kept| kept.summary.clone());
        drop(rows);
        let Some(servers) = &self.servers else {
            return Ok(expected);
        };
        let found = servers.find(run);
        self.compare("find", &found, &Ok::<_, StoreError>(expected));
        found
    }

    pub(super) fn entries_of(
        &self,
        run: &RunId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Bytes>, StoreError> {
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let all = self.bytes(run).into_iter().skip(skipped);
        let expected: Vec<Bytes> = all.take(limit).collect();
        let Some(servers) = &self.servers else {
            return Ok(expected);
        };
        let entries = servers.entries(run, after, limit);
        self.compare("entries", &entries, &Ok::<_, StoreError>(expected));
        entries
    }

    pub(super) fn purge_of(&self, run: &RunId) -> Result<bool, StoreError> {
        let mut rows = self.rows.lock();
        let kept = rows.kept.get(run);
        let has_ended = kept.is_some_and(|kept| kept.summary.standing.is_end());
        if has_ended {
            rows.kept.remove(run);
        }
        drop(rows);
        let Some(servers) = &self.servers else {
            return Ok(has_ended);
        };
        let purged = servers.purge(run);
        self.compare("purge", &purged, &Ok::<_, StoreError>(has_ended));
        purged
    }

    /// Notes where the real journals say something else than those in memory.
    fn compare(&self, what: &str, real: &impl fmt::Debug, expected: &impl fmt::Debug) {
        let (real, expected) = (format!("{real:?}"), format!("{expected:?}"));
        if real != expected {
            let mut rows = self.rows.lock();
            rows.differences.push(format!(
                "{what}: Redis says {real}, and has to say {expected}"
            ));
        }
    }

    /// Where real journals said something else than they had to.
    pub fn differences(&self) -> Vec<String> {
        self.rows.lock().differences.clone()
    }
}
