//! What happened: the events of all partitions in one order, by when they were recorded.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::extract::State;
use skald_core::{
    event::{Event, Partition, archive::Archive},
    store::StoreError,
};
use skald_telemetry::clock;

use super::{Asked, place::Places};
use crate::{
    failure::Failure,
    json::{Answer, Json},
    query::{Given, Words, moment},
    view,
};

/// How many events are answered where nobody says.
const LIMIT: usize = 100;

/// How many at most.
const MOST: usize = 1_000;

/// A page whose messages have more is cut there.
const LARGEST: usize = 8 << 20;

/// The fewest that are read of a partition at once.
const FEWEST: usize = 16;

/// How far back the last events are looked for, further each time; at the end, everywhere.
const BACK: [u64; 7] = [1, 10, 60, 600, 3_600, 36_000, 864_000];

/// A page of the log.
#[derive(Debug, Default)]
struct Page {
    events: Vec<Event>,
    more: bool,
}

/// What of the log is asked for.
#[derive(Clone, Copy)]
struct View<'a> {
    archive: &'a dyn Archive,
    /// Of these only; of all, where there are none.
    topics: &'a [Arc<str>],
}

/// What was read of a partition and not answered yet.
struct Stream {
    partition: Partition,
    read: VecDeque<Event>,
    /// Up to here.
    to: u64,
    /// Whether there was no more.
    is_through: bool,
}

/// `GET /admin/v1/events`.
pub(super) async fn tail(State(events): Asked, query: Given) -> Answer<view::Events> {
    let words = Words::known(query, &["topic", "since", "after", "last", "limit"])?;
    let topics: Vec<Arc<str>> = words.all("topic").map(Arc::from).collect();
    let limit = words.count("limit", MOST)?.unwrap_or(LIMIT);
    let view = View {
        archive: &*events.archive,
        topics: &topics,
    };
    let now = clock::now();
    let last = words.count("last", MOST)?;
    let (page, places) = match (words.one("after"), words.one("since"), last) {
        (Some(after), None, None) => view.from(after.parse()?, limit).await?,
        (None, Some(since), None) => {
            let wrong = || {
                let what = format!(
                    "{since:?} is no time; write one like 2026-01-31T23:59:59Z, or how long ago, like 10m"
                );
                Failure::BadPlace(what)
            };
            let since = moment(since, now).ok_or_else(wrong)?;
            view.from(view.places(since).await?, limit).await?
        }
        (None, None, None) => view.from(Places::default(), limit).await?,
        (None, None, Some(last)) => view.last(last, now).await?,
        _ => {
            let what = "`after`, `since` and `last` are said one at a time".to_owned();
            return Err(Failure::Malformed(what));
        }
    };
    Ok(Json(view::Events {
        items: page.events.iter().map(view::Event::from).collect(),
        after: places.to_string(),
        more: page.more,
    }))
}

// === impl View ===

impl View<'_> {
    /// The places at a time.
    async fn places(self, at: SystemTime) -> Result<Places, StoreError> {
        let mut places = Places::default();
        for partition in self.archive.parts().await? {
            let before = self.archive.before(&partition, at).await?;
            places.set(&partition, before);
        }
        Ok(places)
    }

    /// The next events from there, and where they end.
    async fn from(self, mut places: Places, limit: usize) -> Result<(Page, Places), StoreError> {
        let page = self.page(&mut places, limit).await?;
        Ok((page, places))
    }

    /// The last events, and where they end.
    async fn last(self, count: usize, now: SystemTime) -> Result<(Page, Places), StoreError> {
        let back = BACK.map(|seconds| now.checked_sub(Duration::from_secs(seconds)));
        for from in back.into_iter().chain([None]) {
            let mut places = match from {
                Some(from) => self.places(from).await?,
                None => Places::default(),
            };
            let found = self.end(&mut places, count).await?;
            if found.len() == count || from.is_none() {
                let events = found.into();
                return Ok((
                    Page {
                        events,
                        more: false,
                    },
                    places,
                ));
            }
        }
        Ok((Page::default(), Places::default()))
    }

    /// The last events after there; goes to the end.
    async fn end(self, places: &mut Places, count: usize) -> Result<VecDeque<Event>, StoreError> {
        let mut found = VecDeque::new();
        loop {
            let page = self.page(places, MOST).await?;
            found.extend(page.events);
            found.drain(..found.len().saturating_sub(count));
            if !page.more {
                return Ok(found);
            }
        }
    }

    /// Merges the partitions. Each is in its own order; among them, whichever has recorded first comes first.
    async fn page(self, places: &mut Places, limit: usize) -> Result<Page, StoreError> {
        let parts = self.archive.parts().await?;
        let batch = (limit / parts.len().max(1)).max(FEWEST);
        let stream = |partition: Partition| Stream {
            to: places.of(&partition),
            partition,
            read: VecDeque::new(),
            is_through: false,
        };
        let mut streams: Vec<Stream> = parts.into_iter().map(stream).collect();
        let (mut page, mut bytes) = (Page::default(), 0);
        loop {
            for stream in &mut streams {
                stream.fill(self, batch).await?;
            }
            let next = streams
                .iter_mut()
                .filter(|stream| !stream.read.is_empty())
                .min_by_key(|stream| stream.read.front().map(|event| event.recorded_at));
            let Some(stream) = next else {
                break;
            };
            if page.events.len() == limit || bytes >= LARGEST {
                page.more = true;
                break;
            }
            if let Some(event) = stream.read.pop_front() {
                places.set(&stream.partition, event.sequence);
                bytes += event.payload.len();
                page.events.push(event);
            }
        }
        // So that the next page begins there also where nothing was found.
        for stream in &streams {
            places.set(&stream.partition, places.of(&stream.partition));
        }
        Ok(page)
    }
}

// === impl Stream ===

impl Stream {
    /// Reads on, if all that was read is answered.
    async fn fill(&mut self, view: View<'_>, batch: usize) -> Result<(), StoreError> {
        if self.is_through || !self.read.is_empty() {
            return Ok(());
        }
        let page = view
            .archive
            .page(&self.partition, view.topics, self.to, batch);
        self.read = page.await?.into();
        self.to = self.read.back().map_or(self.to, |event| event.sequence);
        self.is_through = self.read.len() < batch;
        Ok(())
    }
}
