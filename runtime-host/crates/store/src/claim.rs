//! One process at a time has a data directory.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use crate::error::OpenError;

/// The file that the process which has the directory holds locked. The system lets go of it when the process dies.
const LOCK: &str = "skald.lock";

/// Makes a data directory, where it is not there, and locks it for as long as the answer is kept.
pub fn claim(directory: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::Directory {
        directory: directory.to_owned(),
        source,
    };
    fs::create_dir_all(directory).map_err(failed)?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join(LOCK))
        .map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            directory: directory.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
