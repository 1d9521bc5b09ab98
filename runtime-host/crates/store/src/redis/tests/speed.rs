//! How fast commits are, beside what the same server does with bare commands.

use std::{
    num::NonZeroUsize,
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;
use skald_core::store::{Change, Store as _};
use tokio::{task::JoinSet, time::Instant};

use super::{Whole, server};
use crate::contract::{at, event, get, given, key};

const SPAN: Duration = Duration::from_secs(3);

static PAYLOAD: LazyLock<Bytes> = LazyLock::new(|| vec![b'x'; 300].into());

/// Prints figures; nothing is asserted.
#[expect(clippy::print_stderr, reason = "the figures are what it is for")]
#[test]
#[ignore = "a measurement"]
fn commits_beside_bare_commands() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = server();
        let store = Arc::new(Whole::open("app", &server.url()).await);
        for units in [1, 64].map(|n| NonZeroUsize::new(n).unwrap()) {
            for (what, kind) in [
                ("XADD", 0),
                ("commit", 1),
                ("read and commit", 2),
                ("read, commit, event", 3),
            ] {
                let figures = measure(&store, units, kind).await;
                eprintln!("{units:>3} units, {what:<20}: {figures}");
            }
        }
    });
}

async fn measure(store: &Arc<Whole>, units: NonZeroUsize, kind: u8) -> String {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for unit in 0..units.get() {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            let mut times = Vec::new();
            while began.elapsed() < SPAN {
                let at = Instant::now();
                one(&store, unit, kind).await;
                times.push(at.elapsed());
            }
            times
        });
    }
    let mut times = tasks.join_all().await.concat();
    let elapsed = began.elapsed();
    times.sort_unstable();
    let rate = times.len() as f64 / elapsed.as_secs_f64();
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    format!("{rate:.0}/s, p50 {p50:?}, p99 {p99:?}")
}

async fn one(store: &Whole, unit: usize, kind: u8) {
    if kind == 0 {
        let mut command = redis::cmd("XADD");
        command.arg("stream").arg("*").arg("p").arg(&**PAYLOAD);
        let _: String = store.redis.link().ask(&command).await.unwrap();
        return;
    }
    let key = key("stock", &unit.to_string());
    let mut change = Change {
        writes: vec![(key.clone(), Some(PAYLOAD.clone()))],
        ..Change::default()
    };
    if kind == 3 {
        change.events.push(event(
            "t",
            "some small payload of an event, with a key and a trace",
        ));
    }
    if kind > 1 {
        let seen = get(store, &key).await.version;
        change = given(change, &key, seen);
    }
    store.commit(change, at(0)).await.unwrap();
}
