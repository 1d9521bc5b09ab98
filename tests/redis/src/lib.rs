//! Real Redis servers for tests: one, with replicas, or a cluster; killed, frozen, restarted, or behind a line that is cut.
//!
//! Each server is a process of its own on a free port of the loopback, with its data in a temporary directory. Dropping
//! it ends it. Everything here blocks for as long as it takes and needs no runtime, so that it serves any kind of test.

mod client;
mod cluster;
mod ports;
mod process;
mod proxy;
mod sentinel;
mod server;

pub use self::{
    client::Client,
    cluster::Cluster,
    ports::free as free_port,
    proxy::Proxy,
    sentinel::Sentinel,
    server::{Backup, Options, Server},
};

use std::{io, thread, time::Duration};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(5);

/// How often is asked: for some twenty seconds, as processors may be shared by several tests.
const QUESTIONS: u32 = 4_000;

/// Asks until the answer is yes, and gives up loudly.
///
/// # Errors
///
/// When it is not so after many questions, or a question fails.
pub fn until(what: &str, mut ask: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    for _ in 0..QUESTIONS {
        if ask()? {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Err(io::Error::other(format!("{what}: it is not so yet")))
}
