//! What is heard on Redis's channels: that one of our nodes committed events, and what others publish there.
//!
//! A commit publishes its events on their topics, for everybody who listens, and says so first on a channel of our own.
//! By that, nodes know the message that follows as theirs. Any other message is somebody else's: it is taken into the
//! log, once for all nodes. Channels forget; the log does not: who hears a notice looks there.

mod expected;
mod ingest;
pub(super) mod note;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use redis::{
    Msg, RedisResult,
    aio::{PubSubSink, PubSubStream},
};
use skald_core::event::Published;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use self::{expected::Expected, ingest::Message};
use crate::redis::{Redis, link::too_late};

/// How often a connection on which nothing is heard is asked whether it is still there.
const QUIET: Duration = Duration::from_secs(5);

/// How long the answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// How often it is looked who the servers of a cluster are.
const LOOK: Duration = Duration::from_secs(1);

/// The pause before a lost connection is looked for again. Deliveries look into the log from time to time anyway.
const PAUSE: Duration = Duration::from_millis(250);

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A node of ours, or this one, committed events there.
    Own(Published),
    /// An event came from outside and is in the log now.
    Outside(Published),
    /// Listening has begun, perhaps anew, or it is another server than before: anything may have happened.
    Anew,
}

/// Listens for news of some topics. It has to be asked for them, over and over.
pub struct Watch {
    redis: Redis,
    topics: Vec<Arc<str>>,
    ear: Option<Ear>,
    /// The life of the link that was told of.
    life: u32,
    looked_at: Instant,
    expected: Expected,
    /// What was heard and is not taken in yet.
    waiting: VecDeque<Message>,
    /// What was heard and is not told yet.
    news: VecDeque<Published>,
}

/// A connection that listens.
struct Ear {
    sink: PubSubSink,
    stream: PubSubStream,
    asked_at: Instant,
}

impl Redis {
    /// Listens for events of these topics: those that our nodes publish, and those that others do.
    pub fn watch(&self, topics: impl IntoIterator<Item = Arc<str>>) -> Watch {
        let mut topics: Vec<_> = topics.into_iter().collect();
        topics.sort_unstable();
        topics.dedup();
        Watch {
            redis: self.clone(),
            topics,
            ear: None,
            life: self.link().life(),
            looked_at: Instant::now(),
            expected: Expected::default(),
            waiting: VecDeque::new(),
            news: VecDeque::new(),
        }
    }
}

// === impl Watch ===

impl Watch {
    /// Waits for the next notice. It may be dropped before there is one; nothing that was heard is lost by that.
    pub async fn next(&mut self) -> Notice {
        loop {
            if let Some(published) = self.take_in().await {
                return Notice::Outside(published);
            }
            if let Some(published) = self.news.pop_front() {
                return Notice::Own(published);
            }
            if let Some(notice) = self.hear().await {
                return notice;
            }
        }
    }

    /// Hears on. Answers if listening has begun.
    async fn hear(&mut self) -> Option<Notice> {
        if let Some(ear) = &mut self.ear {
            let heard = tokio::select! {
                biased;
                () = self.redis.link().lives_on(&mut self.life) => return Some(Notice::Anew),
                heard = ear.hear() => heard,
                () = sleep_until(self.looked_at + LOOK) => {
                    self.looked_at = Instant::now();
                    self.redis.link().look().await;
                    return None;
                }
            };
            let Some(message) = heard else {
                self.ear = None;
                return None;
            };
            self.sort(&message);
            return None;
        }
        match self.listen().await {
            Ok(ear) => {
                self.ear = Some(ear);
                Some(Notice::Anew)
            }
            Err(error) => {
                tracing::warn!(%error, "not listening to Redis");
                sleep(PAUSE).await;
                None
            }
        }
    }

    /// Our own channel first: a message whose note was missed would look like somebody else's.
    async fn listen(&mut self) -> RedisResult<Ear> {
        self.expected.clear();
        let client = self.redis.link().client().await?;
        let connection = async {
            let (mut sink, stream) = client.get_async_pubsub().await?.split();
            sink.subscribe(self.redis.keys().own_channel()).await?;
            if !self.topics.is_empty() {
                let topics: Vec<&str> = self.topics.iter().map(|topic| &**topic).collect();
                sink.subscribe(topics).await?;
            }
            Ok((sink, stream))
        };
        let patience = self.redis.link().patience();
        let (sink, stream) = timeout(patience, connection)
            .await
            .unwrap_or_else(|_| Err(too_late()))?;
        Ok(Ear {
            sink,
            stream,
            asked_at: Instant::now(),
        })
    }

    /// Tells our own from what others said, which waits to be taken in.
    fn sort(&mut self, message: &Msg) {
        if message.get_channel_name() != self.redis.keys().own_channel() {
            let message = Message::new(
                message.get_channel_name().into(),
                message.get_payload_bytes(),
            );
            if !self.expected.is_met_by(&message) {
                self.waiting.push_back(message);
            }
            return;
        }
        for note in note::read(message.get_payload_bytes()) {
            let topic = &note.published.topic;
            if let Some(digest) = note.digest
                && self.topics.binary_search(topic).is_ok()
            {
                self.expected.note(Arc::clone(topic), digest);
            }
            if !self.news.contains(&note.published) {
                self.news.push_back(note.published);
            }
        }
    }

    /// Takes what waits into the log, up to the first that is new there.
    async fn take_in(&mut self) -> Option<Published> {
        while let Some(message) = self.waiting.front() {
            let taken = self.redis.ingest(message).await;
            let topic = Arc::clone(&message.topic);
            self.waiting.pop_front();
            match taken {
                Ok(Some(published)) => return Some(published),
                Ok(None) => {}
                Err(failure) => {
                    let error = skald_core::store::StoreError::from(failure);
                    tracing::error!(%topic, %error, code = error.code(), "a message from outside is lost");
                }
            }
        }
        None
    }
}

// === impl Ear ===

impl Ear {
    /// What is said next; none when the connection is gone.
    async fn hear(&mut self) -> Option<Msg> {
        loop {
            tokio::select! {
                biased;
                message = self.stream.next() => {
                    self.asked_at = Instant::now();
                    return message;
                }
                () = sleep_until(self.asked_at + QUIET) => {
                    self.asked_at = Instant::now();
                    let answer = timeout(ANSWER, self.sink.ping::<redis::Value>()).await;
                    if !matches!(answer, Ok(Ok(_))) {
                        return None;
                    }
                }
            }
        }
    }
}
