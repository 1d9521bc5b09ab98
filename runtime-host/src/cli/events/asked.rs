//! What each command of `skald events` takes.

use clap::{ArgGroup, Args};

use crate::cli::Who;

#[derive(Args, Clone, Debug)]
pub(crate) struct Topics {
    /// Print the host's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Tail {
    /// Only events of this topic. Can be repeated.
    #[arg(long, value_name = "TOPIC")]
    pub(crate) topic: Vec<String>,

    /// From when on: how long ago, like 10m or 2h, or a time like 2026-01-31T08:00:00Z.
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    pub(crate) since: Option<String>,

    /// How many of the last ones, up to 1000.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) last: usize,

    /// Stay, and show what happens.
    #[arg(long)]
    pub(crate) follow: bool,

    /// Print each event as JSON, on a line of its own.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Lag {
    /// Only this one.
    #[arg(long, value_name = "NAME")]
    pub(crate) subscriber: Option<String>,

    /// Show each partition of the log.
    #[arg(long)]
    pub(crate) partitions: bool,

    /// Print the host's answer as JSON.
    #[arg(long, conflicts_with = "partitions")]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Letters {
    /// Only those of this subscriber.
    #[arg(long, value_name = "NAME")]
    pub(crate) subscriber: Option<String>,

    /// Go on after this one.
    #[arg(long, value_name = "LETTER")]
    pub(crate) after: Option<String>,

    /// How many at most, up to 1000.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,

    /// Print the host's answer as JSON.
    #[arg(long, conflicts_with = "ids")]
    pub(crate) json: bool,

    /// Print only the names, for other commands.
    #[arg(long)]
    pub(crate) ids: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Letter {
    /// The dead letter, as `ls` names it: SUBSCRIBER/PARTITION/NUMBER.
    #[arg(value_name = "LETTER")]
    pub(crate) letter: String,

    /// Print the host's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which dead letters.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("which").required(true).args(["letters", "subscriber"])))]
pub(crate) struct Which {
    /// The dead letters, as `ls` names them.
    #[arg(value_name = "LETTER")]
    pub(crate) letters: Vec<String>,

    /// All of this subscriber.
    #[arg(long, value_name = "NAME")]
    pub(crate) subscriber: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Redrive {
    #[command(flatten)]
    pub(crate) which: Which,

    /// With --subscriber: how many at most, up to 1000.
    #[arg(long, value_name = "N", conflicts_with = "letters")]
    pub(crate) limit: Option<usize>,

    #[command(flatten)]
    pub(crate) who: Who,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Drop {
    #[command(flatten)]
    pub(crate) which: Which,

    /// Do not ask; without a terminal nobody could answer.
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) who: Who,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Replay {
    /// Who is to hear it again.
    #[arg(long, value_name = "SUBSCRIBER")]
    pub(crate) to: String,

    /// From where on: `beginning`, how long ago, like 2h, a time like 2026-01-31T08:00:00Z, or PARTITION:NUMBER.
    #[arg(long, value_name = "PLACE")]
    pub(crate) from: String,

    /// Only tell what it would hear again.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Do not ask; without a terminal nobody could answer.
    #[arg(short, long, conflicts_with = "dry_run")]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) who: Who,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Publish {
    /// The topic.
    #[arg(value_name = "TOPIC")]
    pub(crate) topic: String,

    /// What it says: text, `@file`, or `-` for standard input.
    #[arg(long, value_name = "TEXT|@FILE|-", default_value = "")]
    pub(crate) data: String,

    /// What it is about: events about the same are handled in order.
    #[arg(long, value_name = "KEY", conflicts_with = "plain")]
    pub(crate) subject: Option<String>,

    /// Publish the data as it is, and not in a CloudEvent.
    #[arg(long)]
    pub(crate) plain: bool,

    #[command(flatten)]
    pub(crate) who: Who,
}
