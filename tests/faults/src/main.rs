//! Plays the cases, and ends with a table of them.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use comfy_table::{Table, presets};
use faults::cases::{ALL, Case, Options};
use tokio::time::Instant;

/// Everything that can go wrong with sagas, going wrong.
#[derive(Parser)]
struct Line {
    /// As much as the tests play.
    #[arg(long)]
    quick: bool,
    /// Where chance begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only the cases whose names contain this.
    #[arg(long)]
    case: Option<String>,
    /// Where journals are kept.
    #[arg(long, value_enum, default_value_t)]
    store: Store,
}

/// Where journals are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Store {
    /// In memory, and in files where a case is about files.
    #[default]
    Own,
    /// On a Redis of its own, and in memory to compare with: all cases but those about what is beneath a journal.
    Redis,
}

fn main() -> ExitCode {
    let line = Line::parse();
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["case", "worlds", "seconds", "outcome"]);
    if line.store == Store::Redis
        && let Err(failure) = faults::servers::begin()
    {
        say(&failure.to_string());
        return ExitCode::FAILURE;
    }
    let mut failed = 0;
    for case in ALL.iter().filter(|case| is_chosen(case, &line)) {
        let begun = Instant::now();
        let played = play(case, &line);
        let seconds = format!("{:.1}", begun.elapsed().as_secs_f64());
        let (worlds, outcome) = match played {
            Ok(worlds) => (worlds.to_string(), "held".to_owned()),
            Err(failure) => {
                failed += 1;
                say(&format!("\n{}: {failure}\nseed: {}", case.name, line.seed));
                ("-".to_owned(), "FAILED".to_owned())
            }
        };
        table.add_row([case.name.to_owned(), worlds, seconds, outcome]);
    }
    say(&format!("\n{table}\nseed {}", line.seed));
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn is_chosen(case: &Case, line: &Line) -> bool {
    let is_named = |name: &String| case.name.contains(name.as_str());
    let has_a_place = line.store == Store::Own || case.beneath.is_none();
    has_a_place && line.case.as_ref().is_none_or(is_named)
}

fn play(case: &Case, line: &Line) -> Result<u64, faults::Failure> {
    say(&format!("{}: {}", case.name, case.about));
    let progress = |worlds: u64| {
        if worlds.is_multiple_of(500) {
            say(&format!("  {worlds} worlds"));
        }
    };
    let options = if line.quick {
        Options::quick(line.seed, progress)
    } else {
        Options::new(line.seed, progress)
    };
    case.play(&options)
}

fn say(text: &str) {
    // Nobody is left to hear it where this fails.
    let _ = writeln!(io::stdout(), "{text}");
}
