//! An adapter beside a map of journals, for appends, purges and lists in any order.

use std::{cmp::Ordering, collections::BTreeMap};

use bytes::Bytes;
use skald_core::saga::{
    RunId,
    journal::{Append, AppendError, Filter, Journal, Standing, Summary},
};

use super::{all, begin};
use crate::contract::at;

/// The ids of the runs there can be; a step names one by its place.
pub const RUNS: [&str; 5] = ["run_a0", "run_a1", "run_b", "run_b\u{e9}", "other"];

const COMPONENTS: [&str; 2] = ["checkout", "refund"];
const SUBJECTS: [&str; 3] = ["", "order-1", "order-2"];

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// An owner of a run adds an entry.
    Append {
        /// The place of the run in [`RUNS`].
        run: usize,
        /// Its epoch.
        epoch: u64,
        /// How far from where the journal goes on.
        off: i64,
        /// What it says, unless it says again what is there.
        says: Option<u8>,
        /// Where the run then stands, by its place in [`Standing::ALL`].
        standing: usize,
    },
    /// Forgets a run.
    Purge(usize),
    /// Lists runs, this many on a page.
    List(Ask, usize),
    /// Closes the store and opens it again.
    Reopen,
}

/// What runs are asked for, by their places in what there can be.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Standings.
    pub standings: Vec<usize>,
    /// A component.
    pub component: Option<usize>,
    /// A subject.
    pub subject: Option<usize>,
    /// The first so many characters of an id.
    pub prefix: Option<(usize, usize)>,
}

/// The journals the store should hold, by their runs.
#[derive(Default)]
struct Model(BTreeMap<RunId, Run>);

struct Run {
    entries: Vec<Bytes>,
    summary: Summary,
}

/// Does the steps on `store`, which has to be empty, and compares it with the model after each.
pub async fn agrees<S: Journal>(mut store: S, steps: &[Step], reopen: impl AsyncFn(S) -> S) {
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append {
                run,
                epoch,
                off,
                says,
                standing,
            } => {
                let mut append = model.append(RUNS[*run], *off, *says);
                append.summary.epoch = *epoch;
                append.summary.standing = Standing::ALL[*standing];
                let outcome = store.append(append.clone()).await;
                let expected = model.appended(append);
                assert_eq!(format!("{outcome:?}"), format!("{expected:?}"), "{step:?}");
            }
            Step::Purge(run) => {
                let run = RunId::from(RUNS[*run]);
                let expected = model.purged(&run);
                assert_eq!(store.purge(&run).await.unwrap(), expected, "{run}");
            }
            Step::List(ask, limit) => model.compare_list(&store, &ask.filter(*limit)).await,
            Step::Reopen => store = reopen(store).await,
        }
        model.compare(&store).await;
    }
}

// === impl Ask ===

impl Ask {
    fn filter(&self, limit: usize) -> Filter {
        let prefix = |(run, length): (usize, usize)| RUNS[run].chars().take(length).collect();
        Filter {
            standings: self.standings.iter().map(|n| Standing::ALL[*n]).collect(),
            component: self.component.map(|n| COMPONENTS[n].to_owned()),
            subject: self.subject.map(|n| SUBJECTS[n].to_owned()),
            prefix: self.prefix.map(prefix),
            after: None,
            limit,
        }
    }
}

// === impl Model ===

impl Model {
    /// What an owner would add so far from where the journal goes on.
    fn append(&self, id: &str, off: i64, says: Option<u8>) -> Append {
        let mut append = begin(id);
        let run = self.0.get(&append.summary.run);
        let next = run.map_or(1, Run::next);
        append.sequence = next.saturating_add_signed(off);
        let there = run.and_then(|run| run.entry(append.sequence));
        append.entry = match (says, there) {
            (None, Some(entry)) => entry.clone(),
            (says, _) => Bytes::from(says.map_or_else(Vec::new, |says| vec![says; 3])),
        };
        let place = RUNS.iter().position(|one| *one == id).unwrap();
        let summary = &mut append.summary;
        summary.component = COMPONENTS[place % COMPONENTS.len()].to_owned();
        summary.subject = SUBJECTS[place % SUBJECTS.len()].to_owned();
        // Some begin at once.
        summary.started_at = at(u64::from(place % 2 == 0));
        summary.updated_at = at(append.sequence);
        summary.due = says.map(|says| at(says.into()));
        append
    }

    fn appended(&mut self, append: Append) -> Result<(), AppendError> {
        let Append {
            sequence,
            entry,
            summary,
        } = append;
        let Some(run) = self.0.get_mut(&summary.run) else {
            if sequence != 1 {
                return Err(AppendError::Conflict { expected: 1 });
            }
            let id = summary.run.clone();
            let entries = vec![entry];
            self.0.insert(id, Run { entries, summary });
            return Ok(());
        };
        let expected = run.next();
        match summary.epoch.cmp(&run.summary.epoch) {
            Ordering::Less => Err(AppendError::Fenced {
                epoch: run.summary.epoch,
            }),
            Ordering::Equal | Ordering::Greater if sequence == expected => {
                run.entries.push(entry);
                run.summary = summary;
                Ok(())
            }
            Ordering::Equal if run.entry(sequence) == Some(&entry) => Ok(()),
            Ordering::Equal | Ordering::Greater => Err(AppendError::Conflict { expected }),
        }
    }

    fn purged(&mut self, id: &RunId) -> bool {
        let has_ended = |run: &Run| run.summary.standing.is_end();
        self.0.get(id).is_some_and(has_ended) && self.0.remove(id).is_some()
    }

    fn list(&self, filter: &Filter) -> Vec<Summary> {
        let asks = |name: &Option<String>, is: &str| name.as_ref().is_none_or(|name| name == is);
        let mut found: Vec<_> = self
            .0
            .values()
            .map(|run| run.summary.clone())
            .filter(|one| asks(&filter.component, &one.component))
            .filter(|one| asks(&filter.subject, &one.subject))
            .filter(|one| filter.standings.is_empty() || filter.standings.contains(&one.standing))
            .filter(|one| {
                let prefix = filter.prefix.as_deref().unwrap_or_default();
                one.run.as_str().starts_with(prefix)
            })
            .collect();
        found.sort_by_key(|one| (one.started_at, one.run.clone()));
        found
    }

    /// Page after page.
    async fn compare_list(&self, store: &impl Journal, filter: &Filter) {
        let mut filter = filter.clone();
        let mut found = Vec::new();
        loop {
            let mut page = store.list(&filter).await.unwrap();
            assert!(page.len() <= filter.limit);
            let Some(last) = page.last() else { break };
            filter.after = Some(last.run.clone());
            found.append(&mut page);
        }
        assert_eq!(found, self.list(&filter), "{filter:?}");
    }

    async fn compare(&self, store: &impl Journal) {
        assert_eq!(store.list(&all()).await.unwrap(), self.list(&all()));
        for id in RUNS.map(RunId::from) {
            let run = self.0.get(&id);
            let summary = store.find(&id).await.unwrap();
            assert_eq!(summary.as_ref(), run.map(|run| &run.summary));
            let entries = run.map_or(&[][..], |run| &run.entries);
            assert_eq!(store.entries(&id, 0, usize::MAX).await.unwrap(), entries);
            let page: Vec<_> = entries.iter().skip(1).take(2).cloned().collect();
            assert_eq!(store.entries(&id, 1, 2).await.unwrap(), page);
        }
    }
}

// === impl Run ===

impl Run {
    fn next(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap() + 1
    }

    fn entry(&self, sequence: u64) -> Option<&Bytes> {
        let place = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.entries.get(place)
    }
}
