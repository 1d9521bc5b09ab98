//! Runs of sagas as people see them: a list, one run's story, and what it waits for.

use std::time::SystemTime;

use skald_core::saga::{
    journal::Standing,
    record::micros,
    view::{Line, Row, View, written},
};

use super::{
    REVISION_DIGITS,
    ink::{Ink, Tone},
    span::{shortened, span},
    table,
};

/// How many cells show when something ran.
const CELLS: usize = 24;

/// The longest text of a line; the rest is in the JSON form.
const LONGEST: usize = 110;

/// The longest note of a list.
const LONGEST_NOTE: usize = 60;

/// Where new code goes another way than a run.
pub(crate) struct Divergence {
    /// The run.
    pub(crate) run: String,
    /// At which command; none where the code does not get that far.
    pub(crate) ordinal: Option<u32>,
    /// What the journal says.
    pub(crate) expected: String,
    /// What the code does.
    pub(crate) actual: String,
}

/// A run's beginning and length, in microseconds, to draw parts of it.
#[derive(Clone, Copy)]
struct Whole {
    from: u64,
    length: u64,
}

/// The list, with how long ago something happened last.
pub(crate) fn list(rows: &[Row], now: SystemTime) -> String {
    let now = micros(now);
    let mut table = table(&["run", "component", "subject", "standing", "since", "note"]);
    for row in rows {
        table.add_row([
            row.run.clone(),
            row.component.clone(),
            row.subject.clone(),
            row.standing.clone(),
            span(now.saturating_sub(row.updated_at)),
            shortened(&row.note, LONGEST_NOTE),
        ]);
    }
    table.trim_fmt()
}

/// Where new code does not fit.
pub(crate) fn divergences(found: &[Divergence]) -> String {
    let mut table = table(&["run", "command", "was", "is"]);
    for one in found {
        table.add_row([
            one.run.clone(),
            one.ordinal
                .map_or_else(|| "-".to_owned(), |at| at.to_string()),
            shortened(&one.expected, LONGEST),
            shortened(&one.actual, LONGEST),
        ]);
    }
    table.trim_fmt()
}

/// What a run waits for.
pub(crate) fn why(view: &View) -> String {
    let row = &view.row;
    let mut text = format!("{} of {} is {}.\n", row.run, row.component, row.standing);
    for sentence in &view.why {
        text += sentence;
        text.push('\n');
    }
    text
}

/// One line for each thing that happened: when, its part of the whole, its number, what, and what came of it.
pub(crate) fn story(view: &View, ink: Ink) -> String {
    let mut text = head(&view.row, ink);
    let whole = Whole::of(view);
    let mut is_backward = false;
    for line in &view.timeline {
        is_backward |= line.kind == "rollback";
        text += &told(line, whole, is_backward, ink);
        text.push('\n');
    }
    if !is_end(&view.row.standing) {
        text.push('\n');
        for sentence in &view.why {
            text += sentence;
            text.push('\n');
        }
    }
    text
}

fn head(row: &Row, ink: Ink) -> String {
    let tone = match Standing::parse(&row.standing) {
        Some(Standing::Completed) => Tone::Good,
        Some(Standing::Parked | Standing::Failed) => Tone::Bad,
        Some(Standing::RollingBack | Standing::RolledBack) => Tone::Backward,
        Some(Standing::Running) | None => Tone::Strong,
    };
    let note = match row.note.as_str() {
        "" => String::new(),
        note => format!(": {note}"),
    };
    let revision: String = row.revision.chars().take(REVISION_DIGITS).collect();
    let (run, standing) = (
        ink.paint(Tone::Strong, &row.run),
        ink.paint(tone, &row.standing),
    );
    format!(
        "{run}  {standing}{note}\n  saga     {}, revision {revision}\n  about    {}\n  begun    {} by {}\n  journal  {} \
         records, {} bytes\n\n",
        row.component,
        row.subject,
        written(row.started_at),
        row.key,
        row.records,
        row.bytes,
    )
}

fn told(line: &Line, whole: Whole, is_backward: bool, ink: Ink) -> String {
    let (mark, tone) = sign(&line.kind);
    let offset = format!("+{}", span(line.at.saturating_sub(whole.from)));
    let ordinal = line.ordinal.map_or_else(String::new, |at| at.to_string());
    let indent = if is_backward { "  " } else { "" };
    let what = ink.paint(tone, &format!("{mark} {}", shortened(&line.what, LONGEST)));
    let outcome = match &line.outcome {
        None if takes_time(line) => ink.paint(Tone::Faint, "  …"),
        None => String::new(),
        // It is done as soon as it is said.
        Some(outcome) if outcome == "done" && !takes_time(line) => String::new(),
        Some(outcome) => {
            let tone = if outcome.starts_with("err") || outcome.starts_with("given up") {
                Tone::Bad
            } else {
                Tone::Good
            };
            let outcome = ink.paint(tone, &shortened(outcome, LONGEST));
            let took = line.ended_at.filter(|_| takes_time(line));
            let took = took.map_or_else(String::new, |end| {
                format!(" after {}", span(end.saturating_sub(line.at)))
            });
            format!("  = {outcome}{}", ink.paint(Tone::Faint, &took))
        }
    };
    let bar = ink.paint(Tone::Faint, &whole.bar(line));
    let text = format!("{offset:>12}  {bar}  {ordinal:>4}  {indent}{what}{outcome}");
    text.trim_end().to_owned()
}

/// How a line begins, so that the eye finds the kinds apart.
fn sign(kind: &str) -> (char, Tone) {
    match kind {
        "start" => ('▶', Tone::Strong),
        "call" => ('→', Tone::Usual),
        "undo" => ('+', Tone::Faint),
        "sleep" | "wait" => ('◷', Tone::Usual),
        "signal" => ('◆', Tone::Strong),
        "rollback" => ('◀', Tone::Backward),
        "undone" => ('←', Tone::Backward),
        "parked" => ('■', Tone::Bad),
        "operator" => ('✎', Tone::Strong),
        "end" => ('●', Tone::Strong),
        // Scopes, status, branches, and what a newer host tells.
        _ => ('·', Tone::Faint),
    }
}

/// Whether it lasts, rather than happens.
fn takes_time(line: &Line) -> bool {
    matches!(line.kind.as_str(), "call" | "sleep" | "wait")
}

fn is_end(standing: &str) -> bool {
    Standing::parse(standing).is_some_and(Standing::is_end)
}

// === impl Whole ===

impl Whole {
    fn of(view: &View) -> Self {
        let from = view.row.started_at;
        let ends = view.timeline.iter();
        let last = ends.map(|line| line.ended_at.unwrap_or(line.at)).max();
        let last = last.unwrap_or_default().max(view.row.updated_at);
        Self {
            from,
            length: last.saturating_sub(from).max(1),
        }
    }

    /// The cell in which a moment is.
    fn cell(self, at: u64) -> usize {
        let part = u128::from(at.saturating_sub(self.from)) * CELLS as u128;
        let cell = usize::try_from(part / u128::from(self.length)).unwrap_or(CELLS);
        cell.min(CELLS - 1)
    }

    /// When it was, as a part of the whole: a point, or a bar that is broken where it has not ended.
    fn bar(self, line: &Line) -> String {
        let from = self.cell(line.at);
        let (to, mark) = match line.ended_at {
            Some(end) if takes_time(line) => (self.cell(end), '━'),
            None if takes_time(line) => (CELLS - 1, '╌'),
            Some(_) | None => (from, '·'),
        };
        let cells = (0..CELLS).map(|cell| {
            if (from..=to).contains(&cell) {
                mark
            } else {
                ' '
            }
        });
        format!("│{}│", cells.collect::<String>())
    }
}

#[cfg(test)]
mod tests;
