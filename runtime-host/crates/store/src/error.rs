//! Why the data cannot be opened, and what SQLite's own errors mean to the ports.

use std::{io, path::PathBuf};

use rusqlite::{Error as SqlError, ErrorCode, ffi};
use skald_core::store::StoreError;
use thiserror::Error;

/// Why the data could not be opened. Nothing was changed.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "the data in {} is in use by another process; stop that process, or choose another data directory",
        directory.display()
    )]
    InUse {
        /// The data directory.
        directory: PathBuf,
    },
    /// It was written by a newer version of the host.
    #[error(
        "{} has data format {found}, and this version reads up to {known}; \
         run the version that wrote it, or choose another data directory",
        file.display()
    )]
    TooNew {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this version reads.
        known: usize,
    },
    /// It is damaged, or something else altogether.
    #[error(
        "{} is damaged or was not written by this program ({why}); \
         restore it from a backup, or move it away to start with no data",
        file.display()
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The directory cannot be used.
    #[error(
        "the data directory {} cannot be used; make sure that it can be created and written to by this user",
        directory.display()
    )]
    Directory {
        /// The data directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be used.
    #[error(
        "{} cannot be used; make sure that this user may write to it, that the disk has room, \
         and that it is a local disk",
        file.display()
    )]
    File {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        source: SqlError,
    },
}

impl OpenError {
    /// A stable code with a page in `docs/errors/`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "STORE-004",
            Self::TooNew { .. } => "STORE-005",
            Self::Unreadable { .. } => "STORE-006",
            Self::Directory { .. } | Self::File { .. } => "STORE-007",
        }
    }

    /// What SQLite's refusal to open `file` means.
    pub(crate) fn of(file: PathBuf, source: SqlError) -> Self {
        match classify(&source) {
            Class::Corrupt => Self::Unreadable {
                file,
                why: source.to_string(),
            },
            Class::Full | Class::Other => Self::File { file, source },
        }
    }
}

/// What SQLite's error means to those who use the store.
pub(crate) fn store_error(error: &SqlError) -> StoreError {
    match classify(error) {
        Class::Full => StoreError::Full(error.to_string()),
        Class::Corrupt => StoreError::Corrupt(error.to_string()),
        Class::Other => StoreError::Unavailable(error.to_string()),
    }
}

/// The store was closed; nothing can be read or written any more.
pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

enum Class {
    Full,
    Corrupt,
    Other,
}

fn classify(error: &SqlError) -> Class {
    match error {
        SqlError::SqliteFailure(failure, _) => match (failure.code, failure.extended_code) {
            // The shared-memory file could not grow: SQLite has no better word for a full disk there.
            (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Class::Full,
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Class::Corrupt,
            _ => Class::Other,
        },
        SqlError::FromSqlConversionFailure(..)
        | SqlError::IntegralValueOutOfRange(..)
        | SqlError::Utf8Error(..)
        | SqlError::InvalidColumnType(..)
        | SqlError::QueryReturnedNoRows => Class::Corrupt,
        _ => Class::Other,
    }
}
