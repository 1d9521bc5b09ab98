//! What was found of a Redis, as people see it: a table, and below it what can be lost and what to do about it.

use comfy_table::{Cell, Color, presets};
use skald_store::redis::{Finding, Report, Stake, Verdict};

use super::{
    ink::{Ink, Tone},
    table,
};

/// The report.
pub(crate) fn report(report: &Report, ink: Ink) -> String {
    let mut table = table(&["check", "verdict", "found"]);
    match ink {
        Ink::Coloured => table.enforce_styling(),
        Ink::Plain => table.force_no_tty(),
    };
    // A row is a line: there are many, and what is long is told below.
    table.load_style(presets::NOTHING);
    for one in &report.findings {
        table.add_row([
            Cell::new(one.check),
            Cell::new(one.verdict).fg(colour(one.verdict)),
            Cell::new(found(one)),
        ]);
    }
    let mut text = format!("{}\n\n{}\n", report.address, table.trim_fmt());
    for one in report.findings.iter().filter(|one| !one.risk.is_empty()) {
        text += &advice(one, ink);
    }
    text.trim_end().to_owned()
}

fn found(one: &Finding) -> String {
    match &one.server {
        None => one.found.clone(),
        Some(server) => format!("{} ({server})", one.found),
    }
}

const fn colour(verdict: Verdict) -> Color {
    match verdict {
        Verdict::Well => Color::Green,
        Verdict::Weak => Color::Yellow,
        Verdict::Unusable => Color::Red,
    }
}

fn advice(one: &Finding, ink: Ink) -> String {
    let tone = match one.verdict {
        Verdict::Well => Tone::Good,
        Verdict::Weak => Tone::Backward,
        Verdict::Unusable => Tone::Bad,
    };
    let stake = match one.stake {
        Some(Stake::Data) => " puts data at risk",
        Some(Stake::Service) | None => "",
    };
    format!(
        "\n{}{stake}\n  {}\n  {} {}\n",
        ink.paint(tone, one.check),
        one.risk,
        ink.paint(Tone::Faint, "→"),
        one.fix
    )
}

#[cfg(test)]
mod tests;
