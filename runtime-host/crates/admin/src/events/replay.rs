//! Sends a subscriber back, so that it hears what it has heard before: a read model builds itself anew so.

use std::{sync::Arc, time::SystemTime};

use axum::{body::Body, extract::State};
use serde::Deserialize;
use skald_core::{
    event::{Book, Interest, Partition, Progress},
    store::StoreError,
};
use skald_telemetry::clock;

use super::{Asked, Events};
use crate::{
    ask,
    failure::Failure,
    json::{Answer, Json},
    query::moment,
    view::{Again, Number, Replay},
};

/// More events are not counted: they are heard again all the same.
const MOST: u64 = 100_000;

/// Events are whole while they are counted; so many are at once.
const AT_ONCE: usize = 100;

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// Who is to hear it.
    to: String,
    /// `beginning`, a time, how long ago, or `partition:number`.
    from: String,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    who: Option<String>,
}

/// From where on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum From {
    Beginning,
    Time(SystemTime),
    /// This event of this partition; others are left as they are.
    Event(Partition, u64),
}

/// `POST /admin/v1/replay`.
pub(super) async fn replay(State(events): Asked, body: Body) -> Answer<Replay> {
    let order: Order = ask::json(body).await?;
    let interest = events.interest(&order.to)?;
    let from = from(&order.from, clock::now())?;
    let parts = events.log.partitions(interest).await?;
    if let From::Event(partition, _) = &from {
        known(partition, &parts, &order.to)?;
    }
    let mut partitions = Vec::with_capacity(parts.len());
    for partition in parts {
        let again = events.again(interest, partition, &from).await?;
        partitions.push(again);
    }
    if !order.dry_run {
        for again in &partitions {
            events.send_back(interest, again).await?;
        }
        let who = order.who.as_deref().unwrap_or("somebody");
        tracing::info!(
            subscriber = order.to,
            from = order.from,
            who,
            "a subscriber is sent back"
        );
    }
    Ok(Json(Replay {
        subscriber: order.to,
        dry_run: order.dry_run,
        again: partitions.iter().map(|one| one.again).sum(),
        partitions,
    }))
}

impl Events {
    /// What a subscriber would hear again of a partition. It is never sent forward: nothing is left out.
    async fn again(
        &self,
        interest: &Interest,
        partition: Partition,
        from: &From,
    ) -> Result<Again, StoreError> {
        let book = Book {
            group: Arc::clone(&interest.group),
            partition,
        };
        let progress = self.log.progress(&book).await?;
        let after = match from {
            From::Beginning => 0,
            From::Time(at) => self.archive.before(&book.partition, *at).await?,
            From::Event(partition, number) if *partition == book.partition => {
                number.saturating_sub(1)
            }
            From::Event(..) => u64::MAX,
        };
        let after = after.min(progress.cursor);
        let is_asked = !matches!(from, From::Event(partition, _) if *partition != book.partition);
        let (again, at_least) = if is_asked {
            self.count(interest, &book, after, &progress).await?
        } else {
            (0, false)
        };
        Ok(Again {
            partition: book.partition.to_string(),
            cursor: Number(progress.cursor),
            after: Number(if again > 0 { after } else { progress.cursor }),
            again,
            at_least,
        })
    }

    /// How many events after `after` are handled already, and whether there are more than are counted.
    async fn count(
        &self,
        interest: &Interest,
        book: &Book,
        mut after: u64,
        progress: &Progress,
    ) -> Result<(u64, bool), StoreError> {
        let handled = progress.handled.last().copied().unwrap_or(0);
        let last = progress.cursor.max(handled);
        let mut again = 0;
        while after < last && again < MOST {
            let page = self.log.read(&book.partition, interest, after, AT_ONCE);
            let page = page.await?;
            let is_handled = |sequence: &u64| {
                *sequence <= progress.cursor || progress.handled.contains(sequence)
            };
            let numbers = page.iter().map(|event| event.sequence);
            again += numbers.filter(is_handled).count() as u64;
            match page.last() {
                Some(event) if page.len() == AT_ONCE => after = event.sequence,
                Some(_) | None => return Ok((again, false)),
            }
        }
        Ok((again, after < last))
    }

    async fn send_back(&self, interest: &Interest, again: &Again) -> Result<(), StoreError> {
        if again.again == 0 {
            return Ok(());
        }
        let book = Book {
            group: Arc::clone(&interest.group),
            partition: Arc::from(again.partition.as_str()),
        };
        self.archive.rewind(&book, again.after.0).await
    }
}

fn from(text: &str, now: SystemTime) -> Result<From, Failure> {
    if text == "beginning" {
        return Ok(From::Beginning);
    }
    if let Some(at) = moment(text, now) {
        return Ok(From::Time(at));
    }
    let event = text.rsplit_once(':').and_then(|(partition, number)| {
        let number = number.parse().ok()?;
        (!partition.is_empty()).then(|| From::Event(Arc::from(partition), number))
    });
    event.ok_or_else(|| {
        Failure::BadPlace(format!(
            "{text:?} is no place to begin; write `beginning`, a time like 2026-01-31T23:59:59Z, how long ago, like 10m, \
             or PARTITION:NUMBER"
        ))
    })
}

fn known(partition: &Partition, parts: &[Partition], subscriber: &str) -> Result<(), Failure> {
    if parts.contains(partition) {
        return Ok(());
    }
    let parts: Vec<&str> = parts.iter().map(|part| &**part).collect();
    let what = match parts.as_slice() {
        [] => format!("there is nothing that {subscriber} listens to yet"),
        parts => format!(
            "{subscriber} listens to nothing in a partition {partition:?}; there are {}",
            parts.join(", ")
        ),
    };
    Err(Failure::BadPlace(what))
}
