//! Runs a command beside a cluster of three primaries, and ends them with it.
//!
//! `cluster COMMAND [ARGUMENT…]`: the command finds the cluster's address in `SKALD_REDIS`.

use std::{
    env, io,
    process::{Command, ExitCode, ExitStatus},
};

use test_redis::Cluster;

/// As many as a cluster has at least.
const PRIMARIES: usize = 3;

/// Where hosts look for their Redis.
const REDIS: &str = "SKALD_REDIS";

#[expect(clippy::print_stderr, reason = "the last words of the program")]
fn main() -> ExitCode {
    match run() {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            code.map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<ExitStatus> {
    let mut words = env::args_os().skip(1);
    let program = words
        .next()
        .ok_or_else(|| io::Error::other("which command?"))?;
    let cluster = Cluster::start(PRIMARIES)?;
    let addresses = cluster.addresses().into_iter();
    let addresses: Vec<String> = addresses.map(|address| address.to_string()).collect();
    Command::new(program)
        .args(words)
        .env(REDIS, format!("redis+cluster://{}", addresses.join(",")))
        .status()
}
