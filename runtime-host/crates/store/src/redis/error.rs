//! Why the data in Redis cannot be opened.

use skald_core::store::StoreError;
use thiserror::Error;

use crate::redis::link::Failure;

/// Why the data in Redis could not be opened. Nothing was changed.
#[derive(Clone, Debug, Error)]
pub enum OpenError {
    /// The servers are not there, or do not let us in.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server is not fit to keep data: what was found, and what can be done.
    #[error("this Redis is not fit to keep data: {0}")]
    Unfit(String),
    /// In a cluster, what a component reads and writes in one unit of work would be on different servers.
    #[error(
        "component {component:?} has its data in place {:?}, and its store {store:?} is in place {:?}: a cluster cannot \
         commit to both at once; do not share the store, or use one server with Sentinel",
        places.0, places.1
    )]
    Spread {
        /// The component.
        component: String,
        /// The store that lies elsewhere.
        store: String,
        /// The places of the component and of the store.
        places: (String, String),
    },
}

impl OpenError {
    /// A stable code with a page in `docs/errors/`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Unfit(_) => "STORE-010",
            Self::Spread { .. } => "STORE-011",
        }
    }
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.into())
    }
}
