//! The log of events, as its subscribers read it: a few streams in each place.

pub(crate) mod stream;
pub(crate) mod topics;

use futures_util::future::{join, try_join};
use skald_core::{
    call::BoxFuture,
    event::{
        Book, DeadLetter, Event, EventLog, Failure as Failed, Head, Interest, NewEvent, Partition,
        Progress, Stretch,
    },
    store::StoreError,
};

use self::stream::{Found, Range, Stream, id, number, scan};
use crate::redis::{
    Redis,
    books::{book_name, life},
    link::Failure,
    script::{Lazy, Script},
};

static HEAD: Lazy = Lazy::new(|| Script::reading(include_str!("log/head.lua")));
static MIRROR: Lazy = Lazy::new(|| Script::writing(include_str!("log/mirror.lua")));

impl EventLog for Redis {
    fn partitions<'a>(
        &'a self,
        interest: &'a Interest,
    ) -> BoxFuture<'a, Result<Vec<Partition>, StoreError>> {
        Box::pin(async move { Ok(self.topics_known().streams(self, interest).await?) })
    }

    fn read<'a>(
        &'a self,
        partition: &'a Partition,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreError>> {
        Box::pin(async move { Ok(self.wanted(partition, interest, after, limit).await?.events) })
    }

    fn read_on<'a>(
        &'a self,
        book: &'a Book,
        interest: &'a Interest,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Stretch, StoreError>> {
        Box::pin(async move {
            let read = || self.wanted(&book.partition, interest, after, limit);
            // Boxed, here and below: two ways to the servers at once take more room than a future should.
            let both = Box::pin(try_join(read(), self.generation(book)));
            let (found, generation) = both.await?;
            if let Some(newest) = found.last {
                let head = Head { newest, generation };
                return Ok(Stretch::new(found.events, limit, head));
            }
            // There may have been events that are not kept any more. Asked before it is read once more: what was committed
            // in between is not taken for one of them.
            let newest = self.newest(&book.partition).await?;
            if newest <= after {
                return Ok(Stretch::nothing(after, generation));
            }
            let found = read().await?;
            let head = Head { newest, generation };
            Ok(Stretch::new(found.events, limit, head))
        })
    }

    fn head<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Head, StoreError>> {
        Box::pin(async move {
            let (newest, generation) =
                try_join(self.newest(&book.partition), self.generation(book)).await?;
            Ok(Head { newest, generation })
        })
    }

    fn progress<'a>(&'a self, book: &'a Book) -> BoxFuture<'a, Result<Progress, StoreError>> {
        Box::pin(async move { Ok(self.read_book(book).await?) })
    }

    fn advance<'a>(
        &'a self,
        book: &'a Book,
        generation: u64,
        cursor: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let moved = self.move_cursor(book, generation, cursor);
            // What other tools see may be late or wrong; an error there is none here.
            let (moved, _) = Box::pin(join(moved, self.mirror(book, cursor))).await;
            Ok(moved?)
        })
    }

    fn note_failure<'a>(
        &'a self,
        book: &'a Book,
        failure: Failed,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { Ok(self.note(book, &failure).await?) })
    }

    fn bury(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { Ok(self.bury_letter(&letter).await?) })
    }
}

impl Redis {
    async fn wanted(
        &self,
        partition: &Partition,
        interest: &Interest,
        after: u64,
        limit: usize,
    ) -> Result<Found, Failure> {
        let own = NewEvent::topic_for(&interest.group);
        let wanted = interest.topics.iter().chain([&own]);
        let is_wanted = |topic: &str| wanted.clone().any(|one| **one == *topic);
        let range = Range {
            partition,
            after,
            limit,
        };
        scan(self, range, is_wanted).await
    }

    async fn newest(&self, partition: &Partition) -> Result<u64, Failure> {
        let Stream { place, shard } = Stream::of(partition)?;
        let call = HEAD.on(&[self.keys().place(&place)]).arg(&*shard);
        let newest: Option<String> = self.link().call(call).await?;
        newest.map_or(Ok(0), |id| number(&id))
    }

    async fn generation(&self, book: &Book) -> Result<u64, Failure> {
        let life = life::life(self.link());
        let place = self.place_of(&book.group).await?;
        let mut command = redis::cmd("HGET");
        let key = format!("{}:book:{}", self.keys().place(&place), book_name(book));
        command.arg(key).arg("generation");
        let generation: Option<u64> = self.link().ask(&command).await?;
        Ok(life | generation.unwrap_or(0))
    }

    async fn mirror(&self, book: &Book, cursor: u64) -> Result<(), Failure> {
        let Stream { place, shard } = Stream::of(&book.partition)?;
        let call = MIRROR
            .on(&[self.keys().place(&place)])
            .arg(&*shard)
            .arg(&*book.group)
            .arg(id(cursor));
        self.link().call(call).await
    }
}
