//! Measures Skald against what it is meant to replace or to carry, and says whether the goals are met.
//!
//! Every benchmark measures both sides in one run, in turns, so that a busy machine slows both. A missed goal is a
//! figure like any other: the program fails only where it cannot measure. docs/benchmarks.md says what the figures mean.

mod bare;
mod caller;
mod events;
mod hello;
mod hop;
mod load;
mod logs;
mod machine;
mod mesh;
mod proxy;
mod report;
mod rooms;
mod running;
mod saga;
mod sample;
mod shop;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use crate::report::Report;

/// Measures Skald.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask bench")]
struct Cli {
    /// What to measure; all of it without.
    names: Vec<Name>,

    /// Be the called service of the HTTP hop, with so many threads.
    #[arg(long, hide = true, num_args = 0..=1, value_name = "THREADS")]
    callee: Option<Option<usize>>,

    /// Be a process of so many sleeping runs on the data in that folder; none are begun where it is 0.
    #[arg(long, hide = true, num_args = 2, value_names = ["RUNS", "FOLDER"])]
    sleepers: Option<Vec<String>>,

    /// Be a node that handles the events of that application on that server: so many of so many.
    #[arg(long, hide = true, num_args = 4, value_names = ["URL", "APPLICATION", "NODE", "NODES"])]
    events_node: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// A call from one component to another, against an HTTP hop.
    Mesh,
    /// A small component behind the gateway, against the same one with nothing around it.
    Hello,
    /// Sagas: steps a second against what the store can commit, replay, and what sleeping runs hold on to.
    Saga,
    /// Events: published and handled a second against bare commands, a burst, several nodes.
    Events,
    /// The whole shop: start, memory, size.
    Shop,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Some(workers) = cli.callee {
        return hop::serve(workers);
    }
    logs::init()?;
    if let Some(sleepers) = &cli.sleepers {
        return saga::sleepers::serve(sleepers);
    }
    if let Some(node) = &cli.events_node {
        return events::nodes::serve(node);
    }
    let mut report = Report::default();
    let names = if cli.names.is_empty() {
        Name::value_variants()
    } else {
        &cli.names
    };
    for name in names {
        match name {
            Name::Mesh => mesh::measure(&mut report)?,
            Name::Hello => hello::measure(&mut report)?,
            Name::Saga => saga::measure(&mut report)?,
            Name::Events => events::measure(&mut report)?,
            Name::Shop => shop::measure(&mut report)?,
        }
    }
    report.print();
    Ok(())
}
