//! What each command of `skald saga` takes.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use skald_core::saga::journal::Standing;

use crate::cli::Who;

/// Which runs are meant by what they are.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Listed {
    /// Only runs that stand so: running, rolling-back, parked, completed, rolled-back or failed. Can be repeated.
    #[arg(long, value_name = "STANDING", value_delimiter = ',', value_parser = standing)]
    pub(crate) standing: Vec<Standing>,

    /// Only runs of this component.
    #[arg(long, value_name = "ID")]
    pub(crate) component: Option<String>,

    /// Only runs about this subject: of the event that began them, like an order's id.
    #[arg(long)]
    pub(crate) subject: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) which: Listed,

    /// Only runs whose id begins so.
    #[arg(long, value_name = "DIGITS")]
    pub(crate) prefix: Option<String>,

    /// Go on after this run.
    #[arg(long, value_name = "RUN")]
    pub(crate) after: Option<String>,

    /// How many at most, up to 1000.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,

    /// Print the host's answer as JSON.
    #[arg(long, conflicts_with = "ids")]
    pub(crate) json: bool,

    /// Print only the ids, for other commands.
    #[arg(long)]
    pub(crate) ids: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct One {
    /// The run: its id, or the first digits of it.
    #[arg(value_name = "RUN")]
    pub(crate) run: String,

    /// Print the host's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Runs {
    /// The runs: their ids, or the first digits of them.
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<String>,

    #[command(flatten)]
    pub(crate) who: Who,
}

/// A reason that need not be given.
#[derive(Args, Clone, Debug)]
pub(crate) struct Why {
    /// Why, for the journal.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) why: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Act {
    #[command(flatten)]
    pub(crate) of: Runs,

    #[command(flatten)]
    pub(crate) why: Why,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ActWithReason {
    #[command(flatten)]
    pub(crate) of: Runs,

    /// Why, for the journal: whoever looks at the run later has only this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Skip {
    #[command(flatten)]
    pub(crate) act: ActWithReason,

    /// What the step is to have answered: `ok`, or a value as JSON. Leave it out where it returns nothing.
    #[arg(long, value_name = "ok|JSON")]
    pub(crate) answer: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Rerun {
    /// The run.
    #[arg(value_name = "RUN")]
    pub(crate) run: String,

    /// The first command that is done anew; `show` has their numbers.
    #[arg(long, value_name = "N")]
    pub(crate) from: u32,

    #[command(flatten)]
    pub(crate) who: Who,

    #[command(flatten)]
    pub(crate) why: Why,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Signal {
    /// The run.
    #[arg(value_name = "RUN")]
    pub(crate) run: String,

    /// The signal's name, as the saga waits for it.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// What comes with it: text, `@file`, or `-` for standard input.
    #[arg(long, value_name = "TEXT|@FILE|-")]
    pub(crate) data: Option<String>,

    /// Your name for this sending.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Upgrade {
    /// The runs.
    #[arg(
        value_name = "RUN",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub(crate) runs: Vec<String>,

    /// All runs that go forward or are parked.
    #[arg(long)]
    pub(crate) all: bool,

    /// With --all: only those of this component.
    #[arg(long, value_name = "ID", conflicts_with = "runs")]
    pub(crate) component: Option<String>,

    /// Only tell whether they could.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) who: Who,

    #[command(flatten)]
    pub(crate) why: Why,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Export {
    /// The runs.
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<String>,

    /// The folder, in which each run has the file `<run>.json`.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Check {
    /// The new code.
    #[arg(value_name = "NEW.wasm")]
    pub(crate) wasm: PathBuf,

    /// The folder with exported journals.
    #[arg(long, value_name = "DIR")]
    pub(crate) journals: PathBuf,

    /// Whose code it is; without it, the component that all the journals are of.
    #[arg(long, value_name = "ID")]
    pub(crate) component: Option<String>,

    /// Gives a variable of the manifest its value; `name=@file` takes it from a file. Can be repeated.
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<String>,

    /// Where compiled components are kept; without it `.skald/cache` beside the manifest.
    #[arg(long, value_name = "DIR", env = "SKALD_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Purge {
    /// The runs.
    #[arg(
        value_name = "RUN",
        required_unless_present_any = ["older_than", "standing", "component", "subject"],
        conflicts_with_all = ["older_than", "standing", "component", "subject"]
    )]
    pub(crate) runs: Vec<String>,

    /// All that ended so long ago: 7d, 12h, 30m.
    #[arg(long, value_name = "TIME", value_parser = age)]
    pub(crate) older_than: Option<Duration>,

    #[command(flatten)]
    pub(crate) which: Listed,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Companions {
    /// The contracts: a folder of WIT or a file each. Without any, those beside the folder of companions whose
    /// companions are there.
    #[arg(value_name = "PATH")]
    pub(crate) contracts: Vec<PathBuf>,

    /// Write nothing, only say which are not as their contracts ask.
    #[arg(long)]
    pub(crate) check: bool,

    /// The folder of companions.
    #[arg(long, value_name = "DIR", default_value = "wit/companions")]
    pub(crate) out: PathBuf,
}

fn standing(text: &str) -> Result<Standing, String> {
    Standing::parse(text).ok_or_else(|| {
        let known = Standing::ALL.map(Standing::as_str).join(", ");
        format!("there are {known}")
    })
}

/// `7d`, `12h`, `30m` or `90s`.
fn age(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and one of d, h, m, s, like 7d".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        'd' => 24 * 3_600,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    let count: u64 = text
        .strip_suffix(unit)
        .unwrap_or_default()
        .parse()
        .map_err(|_| wrong())?;
    let seconds = count.checked_mul(seconds).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}
