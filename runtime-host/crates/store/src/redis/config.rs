//! What the Redis adapter can be told.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use skald_core::store::Label;

use crate::redis::address::Address;

/// How long a server is waited for that does not answer, or that has to be found again after a failover. Sentinel and
/// Cluster commonly need some seconds for one; a call of a component has ten by default.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long one answer is waited for before the connection is given up. A disk that is busy can hold an answer back for
/// a second; a connection whose other end has gone without a word never answers.
const ANSWER: Duration = Duration::from_secs(2);

/// Into how many streams each place divides its events. Each is read in order, so that this bounds how many events of
/// one publisher are on their way to one subscriber at a time; and each is asked for news.
const SHARDS: NonZeroU32 = NonZeroU32::new(4).unwrap();

/// What the Redis adapter can be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The application, as its manifest names it. All keys begin with it, so that applications can share a server.
    pub application: String,
    /// Where the servers are.
    pub address: Address,
    /// The certificates that servers are trusted by, in PEM; none trusts those of the system.
    pub roots: Option<Vec<u8>>,
    /// What there is, and which stores each component is granted.
    pub components: Vec<Granted>,
    /// Into how many streams each place divides its events. The first host to open the application's data decides.
    pub shards: NonZeroU32,
    /// How long to wait for a server before an operation fails.
    pub patience: Duration,
    /// How long to wait for one answer before the connection is given up.
    pub answer: Duration,
    /// Whether the servers were found to lose nothing that they have answered.
    pub keeps_all: bool,
}

/// A component, and the stores it is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The component.
    pub component: Arc<str>,
    /// Its stores.
    pub stores: Vec<Label>,
}

// === impl Config ===

impl Config {
    /// The defaults, for an application whose data is at `address`.
    pub fn new(application: impl Into<String>, address: Address) -> Self {
        Self {
            application: application.into(),
            address,
            roots: None,
            components: Vec::new(),
            shards: SHARDS,
            patience: PATIENCE,
            answer: ANSWER,
            keeps_all: false,
        }
    }
}
