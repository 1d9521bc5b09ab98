//! Batches: units of one place that are committed by one script.
//!
//! A script costs a server more than the commands in it, and each command a wake-up on both ends. So while a few scripts of a place
//! are on their way, units wait, and go together when one of them is answered: a server that waits for its disk would let them
//! wait as well. Who comes alone goes at once.
//!
//! Each unit is committed or refused by itself, and knows itself again; that it shares a script is a matter of speed only.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use tokio::{
    select,
    sync::{
        Semaphore,
        oneshot::{self, error::TryRecvError},
    },
    time::Instant,
};

use super::unit::Unit;
use crate::redis::{
    Redis,
    link::{Class, Failure},
    places::Place,
    script::{Call, Lazy, Script},
};

static COMMIT: Lazy = Lazy::new(|| Script::writing(include_str!("commit.lua")));

/// How long Redis remembers a commit of which nobody has said that its answer was heard. Far longer than a commit is
/// sent again, and than one that was held up on its way can come late.
const REMEMBERED: Duration = Duration::from_secs(120);

/// How many scripts of a place are on their way at once before units wait: one at work, and one that the server finds when it is
/// done with that.
const TURNS: usize = 2;

/// How many units share a script at most. Nobody else is served meanwhile: some hundred microseconds.
const UNITS: usize = 32;

/// How many bytes they have at most. A server takes 16 KiB from a connection at a time.
const BYTES: usize = 14 * 1_024;

/// What the script says of a unit.
type Verdict = Vec<usize>;

/// What waits to be committed, by place.
#[derive(Debug, Default)]
pub(crate) struct Batches(RwLock<HashMap<Place, Arc<Queue>>>);

#[derive(Debug)]
struct Queue {
    waiting: Mutex<VecDeque<Waiting>>,
    turns: Semaphore,
}

/// A unit, and who waits for it.
#[derive(Debug)]
struct Waiting {
    unit: Arc<Unit>,
    /// In bytes.
    size: usize,
    since: Instant,
    tell: oneshot::Sender<Told>,
}

/// What somebody is told whose unit was in a batch. Nothing, if whoever sent it was dropped in between.
#[derive(Debug)]
enum Told {
    Verdict(Verdict),
    Failed(Failure),
    /// One of the batch has failed, and perhaps another one.
    Alone,
}

// === impl Batches ===

impl Batches {
    /// Commits a unit, with others or alone.
    pub(super) async fn commit(
        &self,
        redis: &Redis,
        own: &Place,
        unit: Arc<Unit>,
    ) -> Result<Verdict, Failure> {
        if !unit.can_share() {
            return alone(redis, own, &unit, false).await;
        }
        let told = self.of(own).commit(redis, own, &unit).await;
        match told {
            Some(Told::Verdict(verdict)) => Ok(verdict),
            Some(Told::Failed(failure)) => Err(failure),
            Some(Told::Alone) | None => alone(redis, own, &unit, true).await,
        }
    }

    fn of(&self, own: &Place) -> Arc<Queue> {
        if let Some(queue) = self.0.read().get(own) {
            return Arc::clone(queue);
        }
        let mut queues = self.0.write();
        Arc::clone(queues.entry(Place::clone(own)).or_default())
    }
}

// === impl Queue ===

impl Default for Queue {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            turns: Semaphore::new(TURNS),
        }
    }
}

impl Queue {
    /// Waits until the unit was sent by somebody else, or until it is its turn to send what waits. It may be dropped at any
    /// time: who waits for what it had on its way hears nothing then, and its place in the line is free.
    async fn commit(&self, redis: &Redis, own: &Place, unit: &Arc<Unit>) -> Option<Told> {
        let (tell, mut told) = oneshot::channel();
        self.waiting.lock().push_back(Waiting {
            size: unit.size(),
            unit: Arc::clone(unit),
            since: Instant::now(),
            tell,
        });
        let turn = select! {
            biased;
            told = &mut told => return told.ok(),
            turn = self.turns.acquire() => turn,
        };
        loop {
            match told.try_recv() {
                Ok(told) => return Some(told),
                Err(TryRecvError::Closed) => return None,
                Err(TryRecvError::Empty) => {}
            }
            let units = self.take();
            if units.is_empty() {
                // Its own is on its way with somebody else.
                break;
            }
            if let Err(failure) = send(redis, own, units).await {
                self.give_up(&failure, redis.link().patience());
            }
        }
        drop(turn);
        told.await.ok()
    }

    /// The first that wait, as many as fit into a script.
    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock();
        let (mut units, mut bytes) = (Vec::new(), 0);
        let life = waiting.front().and_then(|first| first.unit.life);
        while let Some(next) = waiting.front() {
            bytes += next.size;
            // What is for the servers of one life comes too late as a whole.
            let fits = units.len() < UNITS && next.unit.life == life;
            if !fits || (bytes > BYTES && !units.is_empty()) {
                break;
            }
            // Who does not wait any more has not sent it.
            units.extend(waiting.pop_front().filter(|one| !one.tell.is_closed()));
        }
        units
    }

    /// Nobody waits for a server longer because others wait for it too. What has not been sent has not happened.
    fn give_up(&self, failure: &Failure, patience: Duration) {
        let mut waiting = self.waiting.lock();
        while let Some(first) = waiting.pop_front_if(|one| one.since.elapsed() >= patience) {
            let failure = failure.clone().unsent();
            let _ = first.tell.send(Told::Failed(failure));
        }
    }
}

/// Sends units together, and tells those who wait for them. Answers with why not, if none of them could be sent.
async fn send(redis: &Redis, own: &Place, units: Vec<Waiting>) -> Result<(), Failure> {
    let keys = [redis.keys().place(own)];
    let life = units.first().and_then(|first| first.unit.life);
    let mut call = call(redis, own, &keys, life);
    call.push(units.len());
    units.iter().for_each(|one| one.unit.add_to(&mut call));
    let failure = match ask(redis, &mut call, units.len()).await {
        Err(failure) => failure,
        Ok(verdicts) => {
            for (one, verdict) in units.into_iter().zip(verdicts) {
                heard(redis, own, (&call, &one.unit));
                // Who waited may have gone, here and below.
                let _ = one.tell.send(Told::Verdict(verdict));
            }
            return Ok(());
        }
    };
    // A server that is full has committed nothing. Any other refusal may be that of one unit, with some of the others done.
    if units.len() > 1 && failure.is_refusal && failure.class != Class::Full {
        for one in units {
            let _ = one.tell.send(Told::Alone);
        }
        return Ok(());
    }
    for one in units {
        let _ = one.tell.send(Told::Failed(failure.clone()));
    }
    Err(failure)
}

/// Sends one unit, also one of which it is not known what became of it.
async fn alone(
    redis: &Redis,
    own: &Place,
    unit: &Unit,
    is_again: bool,
) -> Result<Verdict, Failure> {
    let mut call = call(redis, own, &unit.touched.keys(redis), unit.life);
    call.push(1);
    unit.add_to(&mut call);
    call.resent(is_again);
    let verdicts = ask(redis, &mut call, 1).await?;
    heard(redis, own, (&call, unit));
    Ok(verdicts.concat())
}

/// The script's call, without units.
fn call(redis: &Redis, own: &Place, keys: &[String], life: Option<u32>) -> Call {
    let mut call = COMMIT.on(keys).telling_resends();
    if let Some(life) = life {
        call.in_life(life);
    }
    call.push(&**own);
    call.push(redis.keys().own_channel());
    let heard = redis.answered().heard(own);
    // In a cluster nobody says what was heard. There, Redis forgets by itself.
    if heard.is_empty() && !redis.link().is_cluster() {
        call.push("");
    } else {
        call.push(REMEMBERED.as_millis().to_string());
    }
    call.push(heard.len());
    heard.iter().for_each(|token| call.push(token));
    call
}

async fn ask(redis: &Redis, call: &mut Call, units: usize) -> Result<Vec<Verdict>, Failure> {
    let verdicts: Vec<Verdict> = redis.link().call_tracked(call).await?;
    if verdicts.len() == units {
        return Ok(verdicts);
    }
    Err(Failure::corrupt(format!(
        "{units} commits were answered with {verdicts:?}"
    )))
}

/// The answer to a unit was heard, and if it was sent once, no other copy of it is on its way. A cluster's client may have
/// sent it twice without a word.
fn heard(redis: &Redis, own: &Place, (call, unit): (&Call, &Unit)) {
    if let Some(token) = &unit.token
        && !call.was_resent()
        && !redis.link().is_cluster()
    {
        redis.answered().answer(own, token.clone());
    }
}
