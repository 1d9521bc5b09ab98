//! The command line of `skald saga`.

mod asked;

use clap::{Args, Subcommand};

use self::asked::{Act, ActWithReason};
pub(crate) use self::asked::{
    Check, Companions, Export, List, Listed, One, Purge, Rerun, Runs, Signal, Skip, Upgrade,
};
use super::{Manifest, Place};

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
