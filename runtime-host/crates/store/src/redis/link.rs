//! The way to the servers: commands go out and answers come back, over connections that are found again when they are
//! lost.
//!
//! A server takes 16 KiB from a connection, does what is asked there, and waits for its disk; then it looks again. So
//! with one connection few commits share a wait. There are several, and the first that is not busy is taken.
//!
//! A command whose answer was lost is sent again. So each has to have the same effect twice as once: what changes
//! something is a script that checks a token, a generation or what it expects to find.

mod dial;
mod failure;
mod life;

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::RwLock;
use redis::{
    Cmd, FromRedisValue, RedisError, RedisResult, Value,
    aio::{ConnectionLike as _, MultiplexedConnection},
    cluster_async::ClusterConnection,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout_at},
};

pub(crate) use self::failure::{Class, Failure};
use self::{dial::Dialer, failure::Advice, life::Lives};
use crate::redis::{
    config::Config,
    script::{self, Call},
};

/// The first pause before a command is sent again; each further one is twice as long, and up to as much again.
const PAUSE: Duration = Duration::from_millis(10);

/// The longest pause: a server that is back is noticed within it.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Who was looked for so recently is not looked for anew because of an answer: those who answer do not know better yet.
const SETTLING: Duration = Duration::from_millis(500);

/// How many connections there are at most.
const LANES: usize = 16;

/// With how much on its way a connection counts as busy: commands, and KiB of them. Four commits with an event each are some
/// 4 KiB.
const CROWD: usize = 4;

/// The way to the servers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Link(Arc<Inner>);

struct Inner {
    dialer: Mutex<Dialer>,
    lanes: [Lane; LANES],
    patience: Duration,
    is_cluster: bool,
    lives: Lives,
}

/// One of the connections, if there is one at the moment.
#[derive(Default)]
struct Lane {
    current: RwLock<Option<Current>>,
    /// How much waits for its answers.
    busy: AtomicUsize,
}

#[derive(Clone)]
struct Current {
    /// The round of connections that it belongs to.
    round: u64,
    life: u32,
    since: Instant,
    connection: Connection,
}

/// A connection that many commands share.
#[derive(Clone)]
pub(crate) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

// === impl Link ===

impl Link {
    /// Finds the servers.
    pub(crate) async fn open(config: &Config) -> Result<Self, Failure> {
        let link = Self::new(config)?;
        let () = link.ask(&redis::cmd("PING")).await.map(|_: Value| ())?;
        Ok(link)
    }

    /// A way that is not tried yet.
    pub(crate) fn new(config: &Config) -> Result<Self, Failure> {
        Ok(Self(Arc::new(Inner {
            dialer: Mutex::new(Dialer::new(config).map_err(|error| Failure::of(&error))?),
            lanes: Default::default(),
            patience: config.patience,
            is_cluster: config.address.is_cluster(),
            lives: Lives::default(),
        })))
    }

    /// Whether keys are spread over several servers.
    pub(crate) fn is_cluster(&self) -> bool {
        self.0.is_cluster
    }

    /// Which servers are behind it, as a number that grows each time that they are others than before: those may know less.
    /// To be asked for before what is to be of this life is read.
    pub(crate) fn life(&self) -> u32 {
        self.0.lives.now()
    }

    /// The life, and who the servers are in it, where they say so.
    pub(crate) fn servers(&self) -> (u32, Option<String>) {
        self.0.lives.servers()
    }

    /// Looks who the servers of a cluster are: of those that nothing is asked of, nobody else hears that they are others.
    pub(crate) async fn look(&self) {
        if !self.is_cluster() {
            return;
        }
        let Some(lane) = self.lane() else { return };
        let look = async {
            let mut current = self.current(lane).await?;
            let server = life::server(&mut current.connection).await;
            self.0.lives.meet(current.round, server);
            RedisResult::Ok(())
        };
        // Who does not answer is looked for by whoever needs it.
        let _ = timeout_at(Instant::now() + self.patience(), look).await;
    }

    /// Waits until it is another life than `known`, and notes which.
    pub(crate) async fn lives_on(&self, known: &mut u32) {
        self.0.lives.follow(known).await;
    }

    /// How long an operation waits for a server.
    pub(crate) fn patience(&self) -> Duration {
        self.0.patience
    }

    /// What a command answers that only reads, or that may be sent twice.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failure> {
        let mut errand = Errand::new(self, None);
        loop {
            match errand.attempt(command).await {
                Ok(value) => return read(value),
                Err(Missed::Past) => return Err(Failure::past()),
                Err(Missed::Error(error)) => errand.after(&error).await?,
            }
        }
    }

    /// What a script answers. It may be run twice.
    pub(crate) async fn call<T: FromRedisValue>(&self, mut call: Call) -> Result<T, Failure> {
        self.call_tracked(&mut call).await
    }

    /// What a script answers. The call knows afterwards whether it was sent again.
    pub(crate) async fn call_tracked<T: FromRedisValue>(
        &self,
        call: &mut Call,
    ) -> Result<T, Failure> {
        let mut errand = Errand::new(self, call.life());
        loop {
            match errand.attempt(call.command()).await {
                Ok(value) => return read(value),
                // Whatever it did to the servers of before, it did nothing to these.
                Err(Missed::Past) => return Err(Failure::past()),
                Err(Missed::Error(error)) if failure::is_unknown_script(&error) => call.in_full(),
                Err(Missed::Error(error)) => {
                    let failed = errand.after(&error).await;
                    failed.map_err(|failure| failure.unless(call.only_reads()))?;
                    call.resent(errand.may_have_arrived);
                }
            }
        }
    }

    /// A server's client for what cannot share a connection: subscriptions.
    pub(crate) async fn client(&self) -> RedisResult<redis::Client> {
        self.0.dialer.lock().await.client().await
    }

    /// The first connection that is not busy, or else the least busy one.
    fn lane(&self) -> Option<&Lane> {
        let lanes = &self.0.lanes;
        let load = |lane: &&Lane| lane.busy.load(Ordering::Relaxed);
        let free = lanes.iter().find(|lane| load(lane) < CROWD);
        free.or_else(|| lanes.iter().min_by_key(load))
    }

    async fn current(&self, lane: &Lane) -> RedisResult<Current> {
        match self.of_now(lane) {
            Some(current) => Ok(current),
            // Boxed, since it is rare: every command would carry the room for it.
            None => Box::pin(self.dial(lane)).await,
        }
    }

    /// A new connection, which tells who is behind it before anybody uses it.
    async fn dial(&self, lane: &Lane) -> RedisResult<Current> {
        let mut dialer = self.0.dialer.lock().await;
        // Somebody else may have found it while this waited.
        if let Some(current) = self.of_now(lane) {
            return Ok(current);
        }
        loop {
            let round = self.0.lives.round();
            let since = Instant::now();
            let mut connection = dialer.dial().await?;
            let server = life::server(&mut connection).await;
            let Some((round, life)) = self.0.lives.meet(round, server) else {
                continue;
            };
            let current = Current {
                round,
                life,
                since,
                connection,
            };
            *lane.current.write() = Some(current.clone());
            return Ok(current);
        }
    }

    /// The connection of a lane, if none was lost since it was made: what one has lost, the others may not have noticed.
    fn of_now(&self, lane: &Lane) -> Option<Current> {
        let current = lane.current.read();
        let is_of_now = |one: &&Current| one.round == self.0.lives.round();
        current.as_ref().filter(is_of_now).cloned()
    }

    /// The next command looks for the servers anew, unless somebody has done so.
    fn forget(&self, round: u64) {
        if !self.0.lives.end(round) {
            return;
        }
        for lane in &self.0.lanes {
            let mut current = lane.current.write();
            if current.as_ref().is_some_and(|one| one.round <= round) {
                *current = None;
            }
        }
    }
}

/// A command on its way over a lane, also if nobody waits for it any more.
struct OnLane<'a> {
    lane: &'a Lane,
    weight: usize,
}

// === impl OnLane ===

impl<'a> OnLane<'a> {
    fn new(lane: &'a Lane, command: &Cmd) -> Self {
        let weight = 1 + script::size(command) / 1_024;
        lane.busy.fetch_add(weight, Ordering::Relaxed);
        Self { lane, weight }
    }
}

impl Drop for OnLane<'_> {
    fn drop(&mut self) {
        self.lane.busy.fetch_sub(self.weight, Ordering::Relaxed);
    }
}

// === impl Connection ===

impl Connection {
    async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(command).await,
            Self::Cluster(connection) => connection.req_packed_command(command).await,
        }
    }
}

/// One command on its way, however often it is sent.
struct Errand<'a> {
    link: &'a Link,
    until: Instant,
    pause: Duration,
    /// The only life in which it may be sent.
    life: Option<u32>,
    /// The connection of the last attempt: its round, and since when it is there.
    last: Option<(u64, Instant)>,
    /// Whether a server may have heard it although nothing came back.
    may_have_arrived: bool,
}

/// Why an attempt has no answer.
enum Missed {
    Error(RedisError),
    /// These are other servers than those that it is for.
    Past,
}

// === impl Errand ===

impl<'a> Errand<'a> {
    fn new(link: &'a Link, life: Option<u32>) -> Self {
        Self {
            link,
            until: Instant::now() + link.patience(),
            pause: PAUSE,
            life,
            last: None,
            may_have_arrived: false,
        }
    }

    async fn attempt(&mut self, command: &Cmd) -> Result<Value, Missed> {
        self.last = None;
        let Some(lane) = self.link.lane() else {
            return Err(too_late().into());
        };
        let _on_lane = OnLane::new(lane, command);
        let mut current = match timeout_at(self.until, self.link.current(lane)).await {
            Ok(current) => current?,
            Err(_) => return Err(too_late().into()),
        };
        if self.life.is_some_and(|life| life != current.life) {
            return Err(Missed::Past);
        }
        self.last = Some((current.round, current.since));
        match timeout_at(self.until, current.connection.send(command)).await {
            Ok(answer) => Ok(answer?.extract_error()?),
            Err(_) => Err(too_late().into()),
        }
    }

    /// Waits before the next attempt, if there is to be one.
    async fn after(&mut self, error: &RedisError) -> Result<(), Failure> {
        let advice = Advice::on(error);
        if let (Advice::Reconnect, Some((round, since))) = (advice, self.last) {
            let is_silent = failure::is_silence(error);
            self.may_have_arrived |= is_silent;
            if is_silent || since.elapsed() >= SETTLING {
                self.link.forget(round);
            }
        }
        let jitter = RandomState::new().build_hasher().finish() % 1_000;
        let pause = self.pause.mul_f64(1.0 + jitter as f64 / 1_000.0);
        if matches!(advice, Advice::GiveUp) || Instant::now() + pause >= self.until {
            return Err(Failure::of(error).heard(self.may_have_arrived));
        }
        sleep(pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

impl From<RedisError> for Missed {
    fn from(error: RedisError) -> Self {
        Self::Error(error)
    }
}

fn read<T: FromRedisValue>(value: Value) -> Result<T, Failure> {
    T::from_redis_value(value).map_err(|error| Failure {
        class: Class::Corrupt,
        text: error.to_string(),
        may_have_arrived: false,
        is_refusal: false,
    })
}

/// The error of who has waited long enough.
pub(crate) fn too_late() -> RedisError {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "the server does not answer").into()
}
