//! A desk that knows three runs and remembers what was done.

use std::{
    future::ready,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use parking_lot::Mutex;
use skald_core::{
    call::BoxFuture,
    saga::{
        By, RunId, Verb,
        desk::{Desk, DeskError, Export, Signal, Upgrade},
        journal::{Filter, Standing, Summary},
        view::{Line, Row, View},
    },
};

#[derive(Default)]
pub(super) struct Fake {
    asked: Mutex<Vec<String>>,
}

/// In the order in which they began.
const RUNS: [(&str, Standing); 3] = [
    ("run_aa11", Standing::Running),
    ("run_aa22", Standing::Completed),
    ("run_bb33", Standing::Parked),
];

impl Fake {
    /// What was asked of it, one thing a line.
    pub(super) fn asked(&self) -> String {
        self.asked.lock().join("\n")
    }

    fn note(&self, text: String) {
        self.asked.lock().push(text);
    }
}

fn summary((run, standing): (&str, Standing)) -> Summary {
    Summary {
        run: RunId::from(run),
        component: "checkout".to_owned(),
        revision: "c0ffee".to_owned(),
        key: "evt_1".to_owned(),
        subject: "ord_1".to_owned(),
        standing,
        note: "at work".to_owned(),
        started_at: UNIX_EPOCH + Duration::from_secs(1),
        updated_at: UNIX_EPOCH + Duration::from_secs(2),
        due: None,
        epoch: 1,
        records: 3,
        bytes: 100,
    }
}

fn answer<'a, T: Send + 'a>(answer: Result<T, DeskError>) -> BoxFuture<'a, Result<T, DeskError>> {
    Box::pin(ready(answer))
}

impl Desk for Fake {
    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Summary>, DeskError>> {
        let is_search = filter.limit == 5 && filter.standings.is_empty();
        if !is_search && filter.prefix.is_some() {
            self.note(format!("{filter:?}"));
        }
        let prefix = filter.prefix.as_deref().unwrap_or_default();
        let after = filter.after.as_ref().map_or("", |run| run.as_str());
        let found = RUNS
            .into_iter()
            .filter(|(run, _)| run.starts_with(prefix) && *run > after);
        answer(Ok(found.take(filter.limit).map(summary).collect()))
    }

    fn show<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<View, DeskError>> {
        let line = Line {
            at: 1_000_000,
            ordinal: Some(0),
            kind: "call".to_owned(),
            what: "shop:payments/api@1.0.0.capture(\"ord_1\")".to_owned(),
            ended_at: Some(1_250_000),
            outcome: Some("ok".to_owned()),
            key: Some("k0".to_owned()),
        };
        let view = View {
            row: Row::from(&summary((run.as_str(), Standing::Running))),
            why: vec!["Its code is at work.".to_owned()],
            timeline: vec![line],
        };
        answer(Ok(view))
    }

    fn act<'a>(
        &'a self,
        run: &'a RunId,
        verb: Verb,
        by: By,
    ) -> BoxFuture<'a, Result<(), DeskError>> {
        if run.as_str() == "run_aa22" {
            return answer(Err(DeskError::Refused("the run has ended".to_owned())));
        }
        self.note(format!("{run} {verb:?} {by}"));
        answer(Ok(()))
    }

    fn signal<'a>(
        &'a self,
        run: &'a RunId,
        signal: Signal,
    ) -> BoxFuture<'a, Result<(), DeskError>> {
        self.note(format!("{run} {signal:?}"));
        answer(Ok(()))
    }

    fn rerun<'a>(
        &'a self,
        run: &'a RunId,
        from: u32,
        by: By,
    ) -> BoxFuture<'a, Result<RunId, DeskError>> {
        self.note(format!("{run} from {from}, {by}"));
        answer(Ok(RunId::from("run_cc44")))
    }

    fn upgrade<'a>(
        &'a self,
        run: &'a RunId,
        mode: Upgrade,
        by: By,
    ) -> BoxFuture<'a, Result<String, DeskError>> {
        self.note(format!("{run} {mode:?} {by}"));
        answer(Ok("decaf".to_owned()))
    }

    fn export<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Export, DeskError>> {
        let entries = [Bytes::from_static(b"SKJ1")];
        answer(Ok(Export::new(
            run.clone(),
            "checkout".to_owned(),
            &entries,
        )))
    }

    fn purge<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<(), DeskError>> {
        if run.as_str() == "run_aa11" {
            let why = "the run is running and not ended".to_owned();
            return answer(Err(DeskError::Invalid(why)));
        }
        self.note(format!("{run} purged"));
        answer(Ok(()))
    }
}
