//! What people ask of the coordinator.

use std::future::ready;

use skald_core::{
    call::BoxFuture,
    saga::{
        By, Outcome, Record, RunId, Stamped, State, Verb,
        codec::{self, Entry, Tail},
        desk::{Desk, DeskError, Export, Signal, Upgrade},
        journal::{Append, AppendError, Filter, Standing, Summary},
        view::{self, Row, View},
    },
    store::StoreError,
};
use tokio::sync::oneshot;

use super::Sagas;
use crate::{
    VerbError,
    carrier::Order,
    ledger::{self, Code},
    rehearsal,
};

/// A run that people keep may be begun again so often.
const MOST_RERUNS: u32 = 1_000;

impl Sagas {
    pub(super) async fn summary(&self, run: &RunId) -> Result<Summary, VerbError> {
        let mut found = self.ground.journal.find(run).await?;
        if let Some(summary) = &mut found {
            self.ground.mark_damaged(summary);
        }
        found.ok_or_else(|| VerbError::NoSuchRun(run.clone()))
    }

    /// The list, in which runs with a damaged journal are parked.
    async fn listed(&self, filter: &Filter) -> Result<Vec<Summary>, StoreError> {
        let mut list = self.ground.journal.list(filter).await?;
        let place = |one: &Summary| (one.started_at, one.run.clone());
        let after = match &filter.after {
            Some(after) => self.ground.journal.find(after).await?,
            None => None,
        };
        let damaged: Vec<RunId> = self.ground.damaged.lock().keys().cloned().collect();
        for run in damaged {
            let is_there = list.iter().any(|one| one.run == run);
            let found = self.ground.journal.find(&run).await?;
            let is_next =
                |one: &Summary| after.as_ref().is_none_or(|after| place(one) > place(after));
            list.extend(found.filter(|one| !is_there && is_next(one) && filter.is_about(one)));
        }
        list.iter_mut()
            .for_each(|one| self.ground.mark_damaged(one));
        list.retain(|one| filter.allows(one.standing));
        list.sort_by_key(place);
        list.truncate(filter.limit);
        Ok(list)
    }

    async fn ask(
        &self,
        run: &RunId,
        order: impl FnOnce(oneshot::Sender<Result<(), VerbError>>) -> Order,
    ) -> Result<(), VerbError> {
        let summary = self.summary(run).await?;
        if let Some(other) = self.ground.carried_elsewhere(&summary) {
            return Err(VerbError::Elsewhere(other));
        }
        let (reply, done) = oneshot::channel();
        self.send(run, order(reply));
        done.await.unwrap_or_else(|_| Err(self.ground.lost(run)))
    }

    async fn story(&self, run: &RunId) -> Result<View, VerbError> {
        let summary = self.summary(run).await?;
        let read = self.ground.read(run).await?;
        let state = fold(&read.records)?;
        let is_still = state.end().is_some() || summary.standing == Standing::Parked;
        let trying = if is_still || self.ground.carried_elsewhere(&summary).is_some() {
            Vec::new()
        } else {
            let (reply, trying) = oneshot::channel();
            self.send(run, Order::Look(reply));
            trying.await.unwrap_or_default()
        };
        Ok(View {
            row: Row::from(&summary),
            why: view::why(&state, &trying),
            timeline: view::timeline(&state, &read.records),
        })
    }

    /// A new run that has what this one had up to a command.
    async fn again(&self, run: &RunId, from: u32, by: By) -> Result<RunId, VerbError> {
        let read = self.ground.read(run).await?;
        let before = fold(&read.records)?;
        may_rerun(&before, from).map_err(VerbError::Invalid)?;
        for number in 1..=MOST_RERUNS {
            let mut started = before.started().clone();
            started.key = format!("{} (rerun {number})", started.key);
            started.run = RunId::of(&started.component(), &started.key);
            if self.ground.journal.find(&started.run).await?.is_some() {
                continue;
            }
            let run = started.run.clone();
            let mut records = prefix(&read.records, from);
            if let Some(first) = records.first_mut() {
                first.record = Record::Started(started);
            }
            let at = before.updated_at();
            let record = Record::RevisionChanged {
                revision: before.revision().to_owned(),
                by: by.clone(),
            };
            records.push(Stamped { at, record });
            if self.adopt(&records).await? {
                self.send(&run, Order::Wake);
                return Ok(run);
            }
        }
        Err(VerbError::Invalid(
            "it was rerun too often; purge some".to_owned(),
        ))
    }

    /// Makes these records the journal of a new run; says whether there was none of its name.
    async fn adopt(&self, records: &[Stamped]) -> Result<bool, VerbError> {
        let state = fold(records)?;
        let entry = Entry {
            sequence: 1,
            epoch: self.ground.epoch(),
            previous: Tail::default().link,
            records: records.to_vec(),
        };
        let (bytes, _) =
            codec::encode(&entry).map_err(|error| VerbError::Invalid(error.to_string()))?;
        let size = (entry.epoch, bytes.len() as u64);
        let summary = ledger::summary(&state, Code::AtWork, size);
        let append = Append {
            sequence: 1,
            entry: bytes,
            summary,
        };
        match self.ground.journal.append(append).await {
            Ok(()) => Ok(true),
            Err(AppendError::Conflict { .. } | AppendError::Fenced { .. }) => Ok(false),
            Err(AppendError::Store(error)) => Err(error.into()),
        }
    }

    async fn renew(&self, run: &RunId, mode: Upgrade, by: By) -> Result<String, VerbError> {
        let summary = self.summary(run).await?;
        let component = summary.component.as_str().into();
        let Some(revision) = self.ground.play.current(&component) else {
            return Err(VerbError::Invalid(format!("{component} is not deployed")));
        };
        let read = self.ground.read(run).await?;
        let rehearsed = rehearsal::rehearse(&*self.ground.play, &revision, read.records).await;
        if let Some(why) = rehearsed.problem() {
            return Err(VerbError::Diverges(format!(
                "revision {revision} does not fit: {why}"
            )));
        }
        if mode == Upgrade::Apply {
            let verb = Verb::Upgrade {
                revision: revision.clone(),
            };
            let act = Box::new((verb, by));
            self.ask(run, |reply| Order::Act(act, reply)).await?;
        }
        Ok(revision)
    }

    async fn forget(&self, run: &RunId) -> Result<(), VerbError> {
        let summary = self.summary(run).await?;
        if self.ground.journal.purge(run).await? {
            self.ground.damaged.lock().remove(run);
            return Ok(());
        }
        let standing = summary.standing.as_str();
        Err(VerbError::Invalid(format!(
            "the run is {standing} and not ended; cancel, roll back or fail it first"
        )))
    }
}

impl Desk for Sagas {
    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Summary>, DeskError>> {
        Box::pin(async move { Ok(self.listed(filter).await?) })
    }

    fn show<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<View, DeskError>> {
        Box::pin(async move { Ok(self.story(run).await?) })
    }

    fn act<'a>(
        &'a self,
        run: &'a RunId,
        verb: Verb,
        by: By,
    ) -> BoxFuture<'a, Result<(), DeskError>> {
        if let Verb::Upgrade { .. } = verb {
            let why = "an upgrade is rehearsed first".to_owned();
            return Box::pin(ready(Err(DeskError::Invalid(why))));
        }
        let act = Box::new((verb, by));
        Box::pin(async move { Ok(self.ask(run, |reply| Order::Act(act, reply)).await?) })
    }

    fn signal<'a>(
        &'a self,
        run: &'a RunId,
        signal: Signal,
    ) -> BoxFuture<'a, Result<(), DeskError>> {
        Box::pin(async move {
            let (size, limit) = (signal.payload.len(), self.ground.config.payload);
            if size > limit {
                let why = format!("the payload has {size} bytes; {limit} are the most");
                return Err(DeskError::Invalid(why));
            }
            let signal = Box::new(signal);
            Ok(self.ask(run, |reply| Order::Signal(signal, reply)).await?)
        })
    }

    fn rerun<'a>(
        &'a self,
        run: &'a RunId,
        from: u32,
        by: By,
    ) -> BoxFuture<'a, Result<RunId, DeskError>> {
        Box::pin(async move { Ok(self.again(run, from, by).await?) })
    }

    fn upgrade<'a>(
        &'a self,
        run: &'a RunId,
        mode: Upgrade,
        by: By,
    ) -> BoxFuture<'a, Result<String, DeskError>> {
        Box::pin(async move { Ok(self.renew(run, mode, by).await?) })
    }

    fn export<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Export, DeskError>> {
        Box::pin(async move {
            let summary = self.summary(run).await?;
            let read = self.ground.read(run).await?;
            Ok(Export::new(run.clone(), summary.component, &read.entries))
        })
    }

    fn purge<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<(), DeskError>> {
        Box::pin(async move { Ok(self.forget(run).await?) })
    }
}

impl super::Ground {
    /// A run whose journal cannot be read waits for a person, whatever the list says.
    fn mark_damaged(&self, summary: &mut Summary) {
        if let Some(damage) = self.damaged.lock().get(&summary.run) {
            summary.standing = Standing::Parked;
            summary.note = format!("the journal is damaged: {damage}");
        }
    }
}

/// Whether what a run did before a command can be taken over by another one; why not, if not.
fn may_rerun(before: &State, from: u32) -> Result<(), String> {
    if before.end().is_none() {
        return Err("the run has not ended; retry, roll back or fail it first".to_owned());
    }
    if from > before.commands() {
        return Err(format!("the run has {} commands", before.commands()));
    }
    let mut undos = before.undos().iter();
    match undos.find(|(at, undo)| **at < from && undo.how.is_some()) {
        Some((at, _)) => Err(format!("what entry {at} undoes is undone; begin from 0")),
        None => Ok(()),
    }
}

fn fold(records: &[Stamped]) -> Result<State, VerbError> {
    State::fold(records.iter().cloned()).map_err(|invalid| VerbError::Damaged(invalid.to_string()))
}

/// The records of a run's beginning, its commands before `from`, how those ended, and the signals they received.
fn prefix(records: &[Stamped], from: u32) -> Vec<Stamped> {
    let is_kept = |record: &Record| match record {
        Record::Started(_) | Record::Signalled { .. } => true,
        Record::Issued { ordinal, .. } => *ordinal < from,
        // What was given up on is asked for again.
        Record::Completed {
            outcome: Outcome::Abandoned { .. },
            ..
        } => false,
        Record::Completed { ordinal, .. } => *ordinal < from,
        Record::Undone { .. }
        | Record::RollbackStarted { .. }
        | Record::Parked { .. }
        | Record::Resumed { .. }
        | Record::OwnerChanged { .. }
        | Record::RevisionChanged { .. }
        | Record::Ended { .. } => false,
    };
    records
        .iter()
        .filter(|stamped| is_kept(&stamped.record))
        .cloned()
        .collect()
}
