//! Where the admin API listens, and whom it lets in.

use std::{fmt, net::SocketAddr};

use sha2::{Digest, Sha256};
use thiserror::Error;

/// A shorter token could be guessed in time.
const SHORTEST_TOKEN: usize = 16;

/// Settings of the admin API.
#[derive(Clone)]
pub struct Config {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Who may ask.
    pub(crate) access: Access,
}

/// Who may ask.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever can connect from this machine, but no web page.
    Local,
    /// Whoever knows the token; its digest is kept, so that comparing takes as long whatever is sent.
    Token([u8; 32]),
}

/// Why the admin API cannot be opened as asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// Others than this machine could ask.
    #[error(
        "the admin API on {0} can be reached from other machines and needs a token; set one with --admin-token, or \
         listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The token is too short to be one.
    #[error("the admin token has {0} characters; {SHORTEST_TOKEN} are the least")]
    TooShort(usize),
    /// The token cannot be sent in a header.
    #[error("the admin token has characters other than visible ASCII")]
    Unsendable,
}

// === impl Config ===

impl Config {
    /// Settings for this address. Any but the machine's own needs a token.
    pub fn new(address: SocketAddr, token: Option<&str>) -> Result<Self, ConfigError> {
        let access = match token {
            None if address.ip().is_loopback() => Access::Local,
            None => return Err(ConfigError::Open(address)),
            Some(token) if token.len() < SHORTEST_TOKEN => {
                return Err(ConfigError::TooShort(token.len()));
            }
            Some(token) if !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                return Err(ConfigError::Unsendable);
            }
            Some(token) => Access::Token(digest(token)),
        };
        Ok(Self { address, access })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asks_token = self.access != Access::Local;
        f.debug_struct("Config")
            .field("address", &self.address)
            .field("asks_token", &asks_token)
            .finish_non_exhaustive()
    }
}

/// What is kept of a token.
pub(crate) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
