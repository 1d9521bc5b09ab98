//! What the chores print, and the clock behind "took 3.2 s": the only place that writes to the terminal or reads time.

use std::{fmt::Display, time::Duration};

/// One line about what happened, on standard error: standard output belongs to the programs we start.
#[expect(
    clippy::print_stderr,
    reason = "a chore talks to the person who ran it"
)]
pub(crate) fn line(text: impl Display) {
    eprintln!("{text}");
}

/// One line that others may read or pipe on, such as a finding.
#[expect(
    clippy::print_stdout,
    reason = "a chore talks to the person who ran it"
)]
pub(crate) fn result(text: impl Display) {
    println!("{text}");
}

/// The heading of a step whose own output follows.
pub(crate) fn step(what: &str) {
    line(format_args!("==> {what}"));
}

/// Something that is worth knowing but stops nothing.
pub(crate) fn warning(text: &str) {
    line(format_args!("warning: {text}"));
}

/// Why a chore ended early, with its causes.
pub(crate) fn error(error: &anyhow::Error) {
    line(format_args!("error: {error:#}"));
}

/// Measures how long a chore takes.
#[derive(Debug)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "no runtime here whose clock a test could pause"
    )]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn read(&self) -> String {
        spoken(self.0.elapsed())
    }
}

/// Tenths below a minute, whole seconds above.
fn spoken(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f32()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(spoken(Duration::from_millis(420)), "0.4 s");
        assert_eq!(spoken(Duration::from_millis(125_999)), "2 min 5 s");
    }
}
