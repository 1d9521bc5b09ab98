//! A run for people: what happened in which order, and in words what it waits for.

use std::{fmt::Write as _, time::Duration};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Cause, Command, Direction, End, Outcome, Phase, Record, Stamped, State, Undone,
    journal::Summary,
    record::{micros, times},
    step_key,
};

/// A run with its whole story. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// What the list says of it.
    pub row: Row,
    /// In words: what it waits for, since when, what failed last, when it tries next.
    pub why: Vec<String>,
    /// What happened, in order.
    pub timeline: Vec<Line>,
}

/// A run in a list. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub run: String,
    /// Whose code it runs.
    pub component: String,
    /// The digest of that code.
    pub revision: String,
    /// What began it.
    pub key: String,
    /// What it is about.
    pub subject: String,
    /// Where it stands.
    pub standing: String,
    /// Why, in words.
    pub note: String,
    /// When it began.
    pub started_at: u64,
    /// When something happened last.
    pub updated_at: u64,
    /// How many records its journal has.
    pub records: u32,
    /// How many bytes.
    pub bytes: u64,
}

/// One line of a run's story. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: u64,
    /// Which command of the run, if it is one.
    pub ordinal: Option<u32>,
    /// `start`, `call`, `undo`, `sleep`, `wait`, `scope`, `status`, `signal`, `rollback`, `parked`, `operator`, `host`, `end`.
    pub kind: String,
    /// What.
    pub what: String,
    /// When it ended, if it takes time and has.
    pub ended_at: Option<u64>,
    /// How.
    pub outcome: Option<String>,
    /// What callees know it by.
    pub key: Option<String>,
}

/// How often something was tried without success, and when it is tried next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trying {
    /// Which command.
    pub ordinal: u32,
    /// How often.
    pub attempts: u32,
    /// What went wrong last.
    pub error: String,
    /// When it is tried next; none while an attempt is under way.
    pub next: Option<Duration>,
}

// === impl Row ===

impl From<&Summary> for Row {
    fn from(summary: &Summary) -> Self {
        Self {
            run: summary.run.to_string(),
            component: summary.component.clone(),
            revision: summary.revision.clone(),
            key: summary.key.clone(),
            subject: summary.subject.clone(),
            standing: summary.standing.as_str().to_owned(),
            note: summary.note.clone(),
            started_at: micros(summary.started_at),
            updated_at: micros(summary.updated_at),
            records: summary.records,
            bytes: summary.bytes,
        }
    }
}

/// What happened, in order: each command with how it ended, and everything else in between.
pub fn timeline(state: &State, records: &[Stamped]) -> Vec<Line> {
    records
        .iter()
        .filter_map(|stamped| line(state, stamped))
        .collect()
}

fn line(state: &State, stamped: &Stamped) -> Option<Line> {
    let plain = |kind: &str, what: String| plain(stamped.at, kind, what);
    Some(match &stamped.record {
        Record::Started(started) => plain("start", format!("begun by {}", started.key)),
        Record::Issued { ordinal, command } => issued(state, stamped.at, *ordinal, command),
        // It stands in the line of its command, unless a person said it.
        Record::Completed { by: None, .. } => return None,
        Record::Completed {
            ordinal,
            outcome,
            by: Some(by),
        } => plain("operator", format!("{by}; {ordinal} is {}", said(outcome))),
        Record::Signalled { name, payload, .. } => {
            plain("signal", format!("{name:?} with {} bytes", payload.len()))
        }
        Record::RollbackStarted { cause } => plain("rollback", cause.to_string()),
        Record::Undone { ordinal, how } => undone(state, stamped.at, *ordinal, how),
        Record::Parked { reason } => plain("parked", reason.to_string()),
        Record::Resumed { by } => plain("operator", by.to_string()),
        Record::OwnerChanged { epoch } => {
            plain("host", format!("taken over after a restart, epoch {epoch}"))
        }
        Record::RevisionChanged { revision, by } => {
            let what = format!("{by}; goes on with revision {revision}");
            plain("operator", what)
        }
        Record::Ended { end } => plain("end", ended(end)),
    })
}

fn plain(at: u64, kind: &str, what: String) -> Line {
    Line {
        at,
        ordinal: None,
        kind: kind.to_owned(),
        what,
        ended_at: None,
        outcome: None,
        key: None,
    }
}

fn undone(state: &State, at: u64, ordinal: u32, how: &Undone) -> Line {
    let outcome = match how {
        Undone::Done => "undone".to_owned(),
        Undone::Skipped(by) => by.to_string(),
    };
    Line {
        ordinal: Some(ordinal),
        key: Some(step_key(state.run(), ordinal, Direction::Undo)),
        outcome: Some(outcome),
        ..plain(at, "undone", named(state, ordinal))
    }
}

fn issued(state: &State, at: u64, ordinal: u32, command: &Command) -> Line {
    let (kind, key) = match command {
        Command::Step(_) => ("call", Some(Direction::Forward)),
        Command::Register { .. } => ("undo", Some(Direction::Undo)),
        Command::Sleep { .. } => ("sleep", None),
        Command::Wait { .. } => ("wait", None),
        Command::Open { .. } | Command::Commit { .. } | Command::Rollback { .. } => ("scope", None),
        Command::Status { .. } | Command::Patch { .. } => ("status", None),
    };
    let outcome = state.outcome(ordinal);
    Line {
        at,
        ordinal: Some(ordinal),
        kind: kind.to_owned(),
        what: command.to_string(),
        ended_at: outcome.map(|(_, at)| at),
        outcome: outcome.map(|(outcome, _)| said(outcome)),
        key: key.map(|direction| step_key(state.run(), ordinal, direction)),
    }
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Returned(None) => "done".to_owned(),
        Outcome::Returned(Some(value)) => shortened(value.to_string()),
        Outcome::Fired => "over".to_owned(),
        Outcome::Signal(payload) => format!("received, {} bytes", payload.len()),
        Outcome::TimedOut => "not in time".to_owned(),
        Outcome::RolledBack { skipped: 0 } => "rolled back".to_owned(),
        Outcome::RolledBack { skipped } => format!("rolled back, {skipped} skipped"),
        Outcome::Abandoned { error } => format!("given up on: {error}"),
    }
}

fn shortened(mut text: String) -> String {
    const LONGEST: usize = 200;
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}

/// How a run ended, in words.
pub fn ended(end: &End) -> String {
    match end {
        End::Completed { answer: None } => "completed".to_owned(),
        End::Completed {
            answer: Some(answer),
        } => format!("completed with {}", shortened(answer.to_string())),
        End::RolledBack { cause, skipped: 0 } => format!("rolled back: {cause}"),
        End::RolledBack { cause, skipped } => {
            format!("rolled back, {skipped} entries by hand: {cause}")
        }
        End::Failed { by, left } => format!("ended by hand, {left} entries not undone: {by}"),
    }
}

/// What a list says of a run beside its standing.
pub fn note(state: &State) -> String {
    match (state.parked(), state.phase()) {
        (Some((reason, _)), _) => reason.to_string(),
        // What the code said last tells more than that it got through.
        (None, Phase::Ended(End::Completed { .. })) if !state.status().is_empty() => {
            state.status().to_owned()
        }
        (None, Phase::Ended(end)) => ended(end),
        (None, Phase::RollingBack(cause)) => cause.to_string(),
        (None, Phase::Forward) => state.status().to_owned(),
    }
}

/// In words: what a run waits for, since when, what failed last, when it tries next.
pub fn why(state: &State, trying: &[Trying]) -> Vec<String> {
    let mut lines = Vec::new();
    match (state.parked(), state.phase()) {
        (_, Phase::Ended(end)) => {
            let at = written(state.updated_at());
            return vec![format!("It waits for nothing: {}, at {at}.", ended(end))];
        }
        (Some((reason, at)), phase) => {
            let way = match phase {
                Phase::RollingBack(_) => "while rolling back",
                Phase::Forward | Phase::Ended(_) => "going forward",
            };
            lines.push(format!(
                "It is parked since {}, {way}: {reason}.",
                written(at)
            ));
            lines.push(
                "A person has to act: `skald saga retry`, `skip`, `rollback`, `upgrade` or `fail`."
                    .to_owned(),
            );
        }
        (None, Phase::RollingBack(cause)) => lines.push(backward(state, cause)),
        (None, Phase::Forward) => {}
    }
    lines.extend(state.open().iter().filter_map(|one| open(state, *one)));
    lines.extend(trying.iter().map(|one| tried(state, one)));
    let pending = state.pending_undos().count();
    if pending > 0 {
        let entries = if pending == 1 { "entry" } else { "entries" };
        lines.push(format!(
            "{pending} undo {entries} would be called, newest first, if it rolls back."
        ));
    }
    if lines.is_empty() {
        lines.push("Its code is at work.".to_owned());
    }
    lines
}

fn backward(state: &State, cause: &Cause) -> String {
    let mut text = format!("It rolls back: {cause}.");
    if let Some(ordinal) = state.next_undo() {
        // Writing to a string cannot fail.
        let _ = write!(text, " Next is entry {ordinal}, {}.", named(state, ordinal));
    }
    text
}

fn open(state: &State, ordinal: u32) -> Option<String> {
    let since = written(state.issued_at(ordinal)?);
    let command = state.command(ordinal)?;
    Some(format!(
        "It waits for number {ordinal} since {since}: {command}."
    ))
}

fn tried(state: &State, one: &Trying) -> String {
    let what = named(state, one.ordinal);
    let next = match one.next {
        Some(pause) => format!("the next attempt is in {} ms", pause.as_millis()),
        None => "an attempt is under way".to_owned(),
    };
    format!(
        "Number {}, {what}, failed {}, last with: {}; {next}.",
        one.ordinal,
        times(one.attempts),
        one.error
    )
}

fn named(state: &State, ordinal: u32) -> String {
    state
        .step(ordinal)
        .map_or_else(|| format!("number {ordinal}"), ToString::to_string)
}

/// Microseconds since 1970 as RFC 3339.
pub fn written(at: u64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000);
    at.ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}
