//! The command line of `skald events`.

mod asked;

use clap::{Args, Subcommand};

pub(crate) use self::asked::{Drop, Lag, Letter, Letters, Publish, Redrive, Replay, Tail, Topics};
use super::Place;

const SEE: &str = "\
Examples:
  skald events topics                            what is published, how much, and who listens
  skald events tail --follow                     what happens, as it happens
  skald events tail --since 10m --topic shop.order.placed.v1
  skald events lag                               how far behind each subscriber is
  skald events dlq ls                            what was given up on
  skald events dlq show cart/log/812             why, and the message
  skald events dlq redrive cart/log/812          deliver it again, to that subscriber alone
  skald events replay --to order-history --from beginning --dry-run
  skald events publish shop.test.pinged.v1 --data '{\"n\": 1}'

The host is found by the data directory (--data-dir, or `.skald/data` beside the manifest), or named with --admin.";

/// What `skald events` is asked.
#[derive(Args, Clone, Debug)]
#[command(arg_required_else_help = true, after_help = SEE)]
pub(crate) struct Events {
    #[command(flatten)]
    pub(crate) place: Place,

    #[command(subcommand)]
    pub(crate) command: EventsCommand,
}

#[derive(Subcommand, Clone, Debug)]
pub(crate) enum EventsCommand {
    /// List the topics, how much was published on each, and who listens.
    Topics(Topics),
    /// Show events, oldest first: the last ones, or those since a time.
    #[command(after_help = "\
Examples:
  skald events tail                              the last 10 of all topics
  skald events tail --last 100 --topic shop.order.placed.v1
  skald events tail --since 2026-01-31T08:00:00Z
  skald events tail --follow --json | jq .topic

Each line has the time, PARTITION:NUMBER, the topic, the key and the data. With --json it is one object with all there is.")]
    Tail(Tail),
    /// Show how far behind subscribers are, in messages and in time.
    Lag(Lag),
    /// See what was given up on, and decide what becomes of it.
    #[command(arg_required_else_help = true)]
    Dlq(Dlq),
    /// Send a subscriber back, so that it hears again what it has heard before.
    #[command(after_help = "\
Examples:
  skald events replay --to order-history --from beginning --dry-run    how much would that be?
  skald events replay --to order-history --from beginning              build a read model anew
  skald events replay --to notifications --from 2h                     what happened in the last two hours
  skald events replay --to audit --from log:812                        from this event of this partition on

A subscriber is never sent forward: what it has not handled yet is not left out. Each event is handled as if for the first time, \
so that a subscriber that sends mails sends them again.")]
    Replay(Replay),
    /// Publish an event, as a component would.
    #[command(after_help = "\
Examples:
  skald events publish shop.test.pinged.v1 --data '{\"n\": 1}'            a CloudEvent of that type with this data
  skald events publish shop.order.placed.v1 --subject ord_1 --data @order.json
  skald events publish shop.order.placed.v1 --data @event.json          is the file a CloudEvent, it goes as it is
  echo ping | skald events publish plain.topic --plain --data -         these bytes, and nothing around them")]
    Publish(Publish),
}

/// What `skald events dlq` is asked.
#[derive(Args, Clone, Debug)]
pub(crate) struct Dlq {
    #[command(subcommand)]
    pub(crate) command: DlqCommand,
}

#[derive(Subcommand, Clone, Debug)]
pub(crate) enum DlqCommand {
    /// List dead letters, by subscriber.
    Ls(Letters),
    /// Show one: why it was given up, when, in which trace, and its message.
    Show(Letter),
    /// Deliver dead letters again, to their subscriber alone, behind all that is in the log.
    #[command(after_help = "\
Examples:
  skald events dlq redrive cart/log/812
  skald events dlq redrive --subscriber cart             all of cart's, up to 1,000
  skald events dlq redrive $(skald events dlq ls --subscriber cart --ids | head -1)    try one first

One that fails again is given up again, as a new letter.")]
    Redrive(Redrive),
    /// Forget dead letters for good.
    Drop(Drop),
}
