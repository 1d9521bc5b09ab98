//! The port to where journals are kept.

use std::time::SystemTime;

use bytes::Bytes;
use thiserror::Error;

use super::RunId;
use crate::{call::BoxFuture, store::StoreError};

/// One entry of a journal, with what the list of runs says from then on. Both become durable together, or neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Its place in the journal, counted from 1 without gaps.
    pub sequence: u64,
    /// The records, encoded; the store does not look into it.
    pub entry: Bytes,
    /// What the list says.
    pub summary: Summary,
}

/// What the list of runs says of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which.
    pub run: RunId,
    /// Whose code it runs.
    pub component: String,
    /// The digest of that code.
    pub revision: String,
    /// What began it.
    pub key: String,
    /// What it is about.
    pub subject: String,
    /// Where it stands.
    pub standing: Standing,
    /// In words: why it is parked or has ended as it has, or what its code says of itself.
    pub note: String,
    /// When it began.
    pub started_at: SystemTime,
    /// When its last record was made.
    pub updated_at: SystemTime,
    /// When its next timer fires, if it waits for one.
    pub due: Option<SystemTime>,
    /// The owner that wrote last. A smaller one may not write any more.
    pub epoch: u64,
    /// How many records there are.
    pub records: u32,
    /// How many bytes the entries have.
    pub bytes: u64,
}

/// Where a run stands. The names are what the list can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    /// At work, or waiting for a call, a timer or a signal.
    Running,
    /// Undoing.
    RollingBack,
    /// Waiting for a person.
    Parked,
    /// Ended well.
    Completed,
    /// Ended, and all is undone.
    RolledBack,
    /// Ended by a person as it was.
    Failed,
}

/// Which runs are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Standings; none means all.
    pub standings: Vec<Standing>,
    /// Of this component only.
    pub component: Option<String>,
    /// About this subject only.
    pub subject: Option<String>,
    /// Whose id begins so.
    pub prefix: Option<String>,
    /// After this run, in the order of the list.
    pub after: Option<RunId>,
    /// How many at most.
    pub limit: usize,
}

/// Journals. When `append` has answered, the entry survives the death of the process and of the machine.
pub trait Journal: Send + Sync + 'static {
    /// Adds an entry. Appending the same entry at the same place again is as good as once: so a caller who does not know
    /// whether it was heard asks again.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>>;

    /// The entries of a run after `after`, in order, at most `limit`.
    fn entries<'a>(
        &'a self,
        run: &'a RunId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>>;

    /// What the list says of one run.
    fn find<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Option<Summary>, StoreError>>;

    /// The list, in the order in which runs began; runs that began at once by their ids.
    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>>;

    /// Which servers keep the journals, as a number that is another each time that they are others than before, and so may
    /// have lost what was acknowledged. What follows from a journal is of the life that was asked for before it was read or
    /// appended to.
    fn life(&self) -> u32 {
        0
    }

    /// Forgets a run that has ended, with its journal. Answers whether it was there; one that has not ended is kept.
    fn purge<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<bool, StoreError>>;
}

/// How many runs [`each`] takes from the list at once.
const PAGE: usize = 256;

/// Sees each run that stands so, in the order of the list.
pub async fn each(
    journal: &dyn Journal,
    standings: Vec<Standing>,
    mut see: impl FnMut(&Summary) + Send,
) -> Result<(), StoreError> {
    let mut filter = Filter {
        standings,
        limit: PAGE,
        ..Filter::default()
    };
    loop {
        let page = journal.list(&filter).await?;
        page.iter().for_each(&mut see);
        if page.len() < PAGE {
            return Ok(());
        }
        filter.after = page.last().map(|summary| summary.run.clone());
    }
}

/// Why an entry was not added. Nothing of it was.
#[derive(Clone, Debug, Error)]
pub enum AppendError {
    /// Another owner has taken the run over.
    #[error("epoch {epoch} has taken the run over")]
    Fenced {
        /// Its epoch.
        epoch: u64,
    },
    /// The journal does not go on there, or has another entry there.
    #[error("the journal goes on at {expected}")]
    Conflict {
        /// Where it goes on.
        expected: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Filter ===

impl Filter {
    /// Whether runs that stand so are asked for.
    pub fn allows(&self, standing: Standing) -> bool {
        self.standings.is_empty() || self.standings.contains(&standing)
    }

    /// Whether a run is one of those asked for, wherever it stands and whatever comes before it.
    pub fn is_about(&self, one: &Summary) -> bool {
        let is_same =
            |asked: &Option<String>, is: &str| asked.as_ref().is_none_or(|asked| asked == is);
        let prefix = self.prefix.as_deref().unwrap_or_default();
        is_same(&self.component, &one.component)
            && is_same(&self.subject, &one.subject)
            && one.run.as_str().starts_with(prefix)
    }
}

// === impl Standing ===

impl Standing {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Running,
        Self::RollingBack,
        Self::Parked,
        Self::Completed,
        Self::RolledBack,
        Self::Failed,
    ];

    /// As the store and people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::RollingBack => "rolling-back",
            Self::Parked => "parked",
            Self::Completed => "completed",
            Self::RolledBack => "rolled-back",
            Self::Failed => "failed",
        }
    }

    /// The standing of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Whether nothing more will happen to the run.
    pub const fn is_end(self) -> bool {
        match self {
            Self::Running | Self::RollingBack | Self::Parked => false,
            Self::Completed | Self::RolledBack | Self::Failed => true,
        }
    }
}
