//! What steps are measured against: the store alone, which commits what the steps of a run have to commit.

use std::{path::Path, sync::Arc, time::SystemTime};

use anyhow::Result;
use bytes::Bytes;
use skald_core::{
    call::BoxFuture,
    manifest::ComponentId,
    saga::{
        RunId,
        journal::{Append, Journal as _, Standing, Summary},
    },
    store::{Change, Key, Store as _, Subject},
};
use skald_store::Embedded;
use skald_telemetry::clock;

use super::{STEPS, Work, throughput::Load, watched::Counts};

/// What the mesh keeps of a step: its key and a small answer.
const MARK: usize = 48;

/// A store that does nothing but what runs make it do.
pub(super) struct Ceiling {
    store: Embedded,
    counts: Arc<Counts>,
    work: Work,
    /// How large an entry is.
    pub(super) entry: usize,
}

// === impl Ceiling ===

impl Ceiling {
    /// On the data in a folder.
    pub(super) fn open(data: &Path, work: Work) -> Result<Self> {
        Ok(Self {
            store: Embedded::open(skald_store::Config::new(data))?,
            counts: Arc::default(),
            work,
            entry: 0,
        })
    }

    /// Commits what runs have to, and computes nothing.
    pub(super) fn work(&self, round: u32) -> Load {
        let (store, counts) = (self.store.clone(), Arc::clone(&self.counts));
        let (work, entry) = (self.work, self.entry);
        let run = move |key: String| -> BoxFuture<'static, Result<()>> {
            let (store, counts) = (store.clone(), Arc::clone(&counts));
            Box::pin(async move { run(&store, &counts, (work, entry), &key).await })
        };
        Load {
            store: self.store.clone(),
            counts: Arc::clone(&self.counts),
            run: Arc::new(run),
            round,
        }
    }
}

/// One run: a callee's commit comes before the append that ends its step, if it writes.
async fn run(
    store: &Embedded,
    counts: &Counts,
    (work, entry): (Work, usize),
    key: &str,
) -> Result<()> {
    let run = RunId::of(&ComponentId::from("bare"), key);
    for sequence in 1..=u64::from(STEPS) + 1 {
        if sequence > 1 && work == Work::Write {
            store.commit(change(key, sequence), now()).await?;
        }
        let append = Append {
            sequence,
            entry: Bytes::from(vec![7; entry]),
            summary: summary(&run, key, sequence),
        };
        store.append(append).await?;
        counts.note(sequence, entry);
    }
    Ok(())
}

/// The change of `put`: its key, and that the step was taken.
fn change(name: &str, sequence: u64) -> Change {
    let key = |store: &str, name: &str| Key {
        store: Arc::from(store),
        name: Arc::from(name),
    };
    let mark = key("$bare", &format!("{name}-{sequence}-0123456789abcdef"));
    Change {
        reads: vec![(Subject::Key(mark.clone()), 0)],
        writes: vec![
            (key("bare", name), Some(Bytes::from(sequence.to_string()))),
            (mark, Some(Bytes::from(vec![7; MARK]))),
        ],
        ..Change::default()
    }
}

fn summary(run: &RunId, key: &str, sequence: u64) -> Summary {
    let is_last = sequence > u64::from(STEPS);
    Summary {
        run: run.clone(),
        component: "bare".to_owned(),
        revision: "0".repeat(64),
        key: key.to_owned(),
        subject: String::new(),
        standing: if is_last {
            Standing::Completed
        } else {
            Standing::Running
        },
        note: String::new(),
        started_at: SystemTime::UNIX_EPOCH,
        updated_at: now(),
        due: None,
        epoch: 1,
        records: 1,
        bytes: 1,
    }
}

fn now() -> SystemTime {
    clock::now()
}
