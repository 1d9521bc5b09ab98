//! The command line of `skald saga`.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use skald_core::saga::journal::Standing;

use super::Manifest;

const SEE: &str = "\
Examples:
  skald saga ls                          every run of the host that runs here
  skald saga ls --standing parked        those that wait for a person
  skald saga why 3f2a                    what a run waits for; the first digits of its id are enough
  skald saga show 3f2a                   what happened in it, step by step
  skald saga retry 3f2a                  try again what it is parked on
  skald saga rollback 3f2a --why \"out of stock for good\"
  skald saga check new.wasm --journals dir/    does new code take the way that runs have taken?

The host is found by the data directory (--data-dir, or `.skald/data` beside the manifest), or named with --admin.";

/// What `skald saga` is asked.
#[derive(Args, Clone, Debug)]
#[command(arg_required_else_help = true, after_help = SEE)]
pub(crate) struct Saga {
    #[command(flatten)]
    pub(crate) place: Place,

    #[command(subcommand)]
    pub(crate) command: SagaCommand,
}

/// Which host is asked, and how it is told.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// The admin address of the host; without it the one that the host has noted in its data directory.
    #[arg(
        long,
        global = true,
        value_name = "ADDR:PORT",
        env = "SKALD_ADMIN",
        help_heading = "Which host"
    )]
    pub(crate) admin: Option<String>,

    /// The host's admin token, if it asks for one; `@file` takes it from a file.
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "SKALD_ADMIN_TOKEN",
        hide_env_values = true,
        help_heading = "Which host"
    )]
    pub(crate) admin_token: Option<String>,

    /// The data directory of the host; without it `.skald/data` beside the manifest.
    #[arg(
        long,
        global = true,
        visible_alias = "state-dir",
        value_name = "DIR",
        env = "SKALD_DATA_DIR",
        help_heading = "Which host"
    )]
    pub(crate) data_dir: Option<PathBuf>,

    /// The manifest, or the folder it is in.
    #[arg(
        short = 'f',
        long = "file",
        global = true,
        value_name = "PATH",
        default_value = "spin.toml",
        help_heading = "Which host"
    )]
    pub(crate) file: PathBuf,

    /// Write without colours, as on anything but a terminal.
    #[arg(
        long,
        global = true,
        value_name = "ANY",
        env = "NO_COLOR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        hide_env_values = true
    )]
    pub(crate) no_color: Option<OsString>,
}

#[derive(Subcommand, Clone, Debug)]
pub(crate) enum SagaCommand {
    /// List runs, the oldest first.
    Ls(List),
    /// Show what happened in a run, and when.
    Show(One),
    /// Say what a run waits for, since when, and what failed last.
    Why(One),
    /// Try again what runs are parked on.
    #[command(visible_alias = "resume")]
    Retry(Act),
    /// Take what a run is parked on as done by hand: a step, with its answer, or an undo entry.
    #[command(after_help = "\
Examples:
  skald saga skip 3f2a --why \"refunded in the bank's console\"       an undo entry, or a step that returns nothing
  skald saga skip 3f2a --answer ok --why \"shipped by hand\"          a step that returns result or result<_, E>
  skald saga skip 3f2a --answer '{\"Result\": {\"Ok\": {\"U32\": 7}}}' --why …    any other: its value, with its types

An answer of another type than the function's makes the code of the saga fail when it gets there.")]
    Skip(Skip),
    /// End runs as they are: nothing more is done or undone.
    Fail(ActWithReason),
    /// Stop going forward, and undo what was done.
    Rollback(ActWithReason),
    /// The same for whoever no longer wants what the run is for; of no effect on one that rolls back.
    Cancel(Act),
    /// Begin a new run from an ended one: what it had done before command N is taken over, the rest is done anew.
    Rerun(Rerun),
    /// Send a signal to a run.
    #[command(after_help = "\
Examples:
  skald saga signal 3f2a approved
  skald saga signal 3f2a stock-back --data '{\"sku\": \"TEA-001\"}' --id delivery-17
  gen-report | skald saga signal 3f2a report --data -

The same --id sent twice is one signal.")]
    Signal(Signal),
    /// Go on with the deployed code, if it takes the way that the journal holds.
    #[command(after_help = "\
Examples:
  skald saga upgrade --all --dry-run     which runs could go on with the deployed code?
  skald saga upgrade 3f2a --why \"fixes the address check\"")]
    Upgrade(Upgrade),
    /// Write the journals of runs into files, for `check` and for keeping.
    Export(Export),
    /// Replay exported journals with new code, without calling anything, and tell where it would go another way.
    #[command(after_help = "\
Examples:
  skald saga export $(skald saga ls --standing running,parked --ids) --out journals
  skald saga check target/wasm32-wasip2/component/checkout.wasm --journals journals

It needs the manifest and the other components' code, and no running host. It ends with 1 where a run does not fit.")]
    Check(Check),
    /// Forget runs that have ended, with their journals.
    #[command(after_help = "\
Examples:
  skald saga purge 3f2a
  skald saga purge --older-than 7d --standing completed")]
    Purge(Purge),
    /// Write the WIT through which sagas undo and begin calls of a service.
    #[command(after_help = "\
Examples:
  skald saga companions wit/payments     write wit/companions/payments/payments-saga.wit
  skald saga companions                  write those again that are there
  skald saga companions --check          only say which are not as their contracts ask; end with 1 if any")]
    Companions(Companions),
}

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

/// Who acts; the journal keeps it.
#[derive(Args, Clone, Debug)]
pub(crate) struct Who {
    /// Who does it, for the journal.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "somebody", hide_env_values = true)]
    pub(crate) who: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Act {
    #[command(flatten)]
    pub(crate) of: Runs,

    /// Why, for the journal.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) why: String,
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

    /// Why, for the journal.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) why: String,
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
    #[arg(value_name = "RUN", required_unless_present = "all", conflicts_with = "all")]
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

    /// Why, for the journal.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) why: String,
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

// === impl Saga ===

impl Saga {
    /// The manifest, as far as it matters.
    pub(crate) fn manifest(&self) -> Manifest {
        let (variables, cache_dir) = if let SagaCommand::Check(check) = &self.command {
            (check.variables.clone(), check.cache_dir.clone())
        } else {
            (Vec::new(), None)
        };
        Manifest {
            from: self.place.file.clone(),
            variables,
            cache_dir,
        }
    }
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
    let count: u64 = text.strip_suffix(unit).unwrap_or_default().parse().map_err(|_| wrong())?;
    let seconds = count.checked_mul(seconds).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}
