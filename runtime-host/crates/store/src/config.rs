//! What the embedded store can be told.

use std::{
    fmt,
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

/// How many snapshots may be open at once. Each holds two file descriptors, and 1,024 are what a process may
/// commonly have: a quarter of the snapshots leaves half of those to sockets.
const READERS: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// How long a snapshot is waited for. Calls that wait for each other can hold every snapshot there is, so that
/// the wait has to end by itself; no honest load keeps all of them busy for as long as this.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the embedded store can be told.
#[derive(Clone)]
pub struct Config {
    /// Where the data is. It is made if it is not there.
    pub directory: PathBuf,
    /// Called on the writer's thread after a commit that wrote events. It has to be quick, and must not hold the
    /// store, which would then never be dropped.
    pub on_events: Arc<dyn Fn() + Send + Sync>,
    /// How many snapshots may be open at once.
    pub readers: NonZeroUsize,
    /// How long to wait for a snapshot when all are taken.
    pub patience: Duration,
    /// How large the file may become; none where only the disk sets a limit.
    pub max_bytes: Option<NonZeroU64>,
}

impl Config {
    /// The defaults, for data in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            on_events: Arc::new(|| ()),
            readers: READERS,
            patience: PATIENCE,
            max_bytes: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("directory", &self.directory)
            .field("readers", &self.readers)
            .field("patience", &self.patience)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
