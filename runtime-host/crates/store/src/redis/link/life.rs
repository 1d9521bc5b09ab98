//! Lives of a link: which servers are behind it, and since when.
//!
//! Behind a new connection may be another server than before: a replica that lagged, or the same one with its end lost. All
//! that this process has in memory of what a server has acknowledged is then worth nothing, and whoever relies on such things
//! has to look again. So each new connection tells who is behind it before anybody uses it, and with the first that
//! tells of others than before a new life begins.
//!
//! A connection that is lost makes all others suspect, since they may lead to a server that is none any more. They are of one
//! *round*, which ends with the first loss.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;
use redis::{
    FromRedisValue as _, RedisResult, Value,
    aio::ConnectionLike as _,
    cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo},
};
use tokio::sync::Notify;

use super::Connection;

/// What says who a server is: its process, and the history of its data.
const WHO: [&str; 2] = ["run_id:", "master_replid:"];

/// Lives, and rounds of connections.
#[derive(Debug, Default)]
pub(super) struct Lives {
    round: AtomicU64,
    life: AtomicU32,
    /// Who is there; none before the first connection, and nothing where they do not say.
    servers: Mutex<Option<Option<String>>>,
    begun: Notify,
}

// === impl Lives ===

impl Lives {
    pub(super) fn now(&self) -> u32 {
        self.life.load(Ordering::SeqCst)
    }

    /// The life, and who is there in it, if they say so.
    pub(super) fn servers(&self) -> (u32, Option<String>) {
        let servers = self.servers.lock();
        (self.now(), servers.clone().flatten())
    }

    pub(super) fn round(&self) -> u64 {
        self.round.load(Ordering::SeqCst)
    }

    /// Ends a round; says whether it had not ended before.
    pub(super) fn end(&self, round: u64) -> bool {
        let (then, now) = (Ordering::SeqCst, Ordering::SeqCst);
        self.round
            .compare_exchange(round, round + 1, then, now)
            .is_ok()
    }

    /// A connection that was made in `round` tells who is behind it. Answers with its round and its life; nothing if it was
    /// overtaken by a loss and has to be made again.
    pub(super) fn meet(&self, round: u64, server: Option<String>) -> Option<(u64, u32)> {
        let mut servers = self.servers.lock();
        match &*servers {
            Some(known) if *known == server => return Some((round, self.now())),
            None => {
                *servers = Some(server);
                return Some((round, self.now()));
            }
            Some(_) => {}
        }
        // The round first: whoever hears of the new life finds no connection of the old one.
        if !self.end(round) {
            return None;
        }
        *servers = Some(server);
        let life = self.life.fetch_add(1, Ordering::SeqCst) + 1;
        tracing::warn!("Redis is another server than before; what it may have lost is looked for");
        self.begun.notify_waiters();
        Some((round + 1, life))
    }

    /// Waits until it is another life than `known`, and notes which.
    pub(super) async fn follow(&self, known: &mut u32) {
        loop {
            let begun = self.begun.notified();
            let now = self.now();
            if now != *known {
                *known = now;
                return;
            }
            begun.await;
        }
    }
}

/// Who is behind a connection; nothing where they do not say.
pub(super) async fn server(connection: &mut Connection) -> Option<String> {
    let mut info = redis::cmd("INFO");
    info.arg("server").arg("replication");
    let said: RedisResult<Value> = match connection {
        Connection::One(one) => one.req_packed_command(&info).await,
        Connection::Cluster(cluster) => {
            let primaries = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
            cluster.route_command(info, primaries).await
        }
    };
    let said = said.and_then(Value::extract_error).ok()?;
    let mut servers: Vec<_> = match said {
        Value::Map(servers) => servers.into_iter().map(|(_, said)| who(said)).collect(),
        said => vec![who(said)],
    };
    servers.sort_unstable();
    let servers: Option<Vec<_>> = servers.into_iter().collect();
    servers.map(|servers| servers.join(" "))
}

/// The lines that say who a server is.
fn who(said: Value) -> Option<String> {
    let said = String::from_redis_value(said).ok()?;
    let is_one = |line: &&str| WHO.iter().any(|name| line.starts_with(name));
    let lines: Vec<_> = said.lines().filter(is_one).collect();
    (lines.len() == WHO.len()).then(|| lines.join(" "))
}

#[cfg(test)]
mod tests {
    use super::Lives;

    fn server(name: &str) -> Option<String> {
        Some(name.to_owned())
    }

    #[test]
    fn a_life_lasts_as_long_as_the_servers_are_the_same() {
        let lives = Lives::default();
        assert_eq!(lives.meet(0, server("a")), Some((0, 0)));
        assert!(lives.end(0));
        assert!(!lives.end(0), "the round has ended already");
        assert_eq!(lives.meet(1, server("a")), Some((1, 0)));
        assert_eq!(lives.meet(1, server("b")), Some((2, 1)));
        assert_eq!((lives.round(), lives.now()), (2, 1));
        // Those who do not say who they are may be anybody.
        assert_eq!(lives.meet(2, None), Some((3, 2)));
        assert_eq!(lives.meet(3, None), Some((3, 2)));
    }

    #[test]
    fn a_connection_that_a_loss_has_overtaken_begins_no_life() {
        let lives = Lives::default();
        assert_eq!(lives.meet(0, server("a")), Some((0, 0)));
        assert!(lives.end(0));
        assert_eq!(lives.meet(0, server("b")), None);
        assert_eq!(lives.now(), 0);
    }

    #[tokio::test]
    async fn whoever_follows_hears_of_each_new_life() {
        let lives = Lives::default();
        assert_eq!(lives.meet(0, server("a")), Some((0, 0)));
        let mut known = lives.now();
        let (_, met) = tokio::join!(lives.follow(&mut known), async {
            lives.meet(0, server("b"))
        });
        assert_eq!((known, met), (1, Some((1, 1))));
    }
}
