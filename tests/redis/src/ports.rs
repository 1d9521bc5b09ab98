//! Ports that nobody has.

use std::{
    hash::{BuildHasher, RandomState},
    io,
    net::{Ipv4Addr, TcpListener},
};

/// Systems take the ports of outgoing connections from above here. A server that is down for a moment finds a port from
/// below still free when it comes back.
const FIRST: u16 = 12_000;
const PORTS: u64 = 20_000;

/// How many are tried.
const ATTEMPTS: u64 = 200;

/// A port that was free a moment ago.
///
/// # Errors
///
/// When there is none.
pub fn free() -> io::Result<u16> {
    let state = RandomState::new();
    let mut last = io::Error::other("no port was tried");
    for attempt in 0..ATTEMPTS {
        let offset = u16::try_from(state.hash_one(attempt) % PORTS).unwrap_or_default();
        match TcpListener::bind((Ipv4Addr::LOCALHOST, FIRST + offset)) {
            Ok(_) => return Ok(FIRST + offset),
            Err(error) => last = error,
        }
    }
    Err(last)
}
