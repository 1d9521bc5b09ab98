//! Keeps the files of companions as their contracts are.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    Companions, companions,
    error::{CompanionError, Problem},
};

/// A file of companions, after [`write()`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The package in it.
    pub package: String,
    /// The file.
    pub path: PathBuf,
    /// What happened to it.
    pub change: Change,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Created,
    /// It said something else before.
    Updated,
    /// It is as it was, and was not touched.
    Unchanged,
}

/// A file of companions that is not as its contract asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The contract.
    pub contract: PathBuf,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub staleness: Staleness,
}

/// How a file can be stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// There is no such file.
    Missing,
    /// It says something else.
    Different,
}

/// The companions of one contract, and what is in their file now.
struct Compared {
    contract: PathBuf,
    companions: Companions,
    path: PathBuf,
    current: Option<Vec<u8>>,
}

/// Writes the companions of these contracts below `out`, each into `<name>/<name>-saga.wit`.
///
/// Files that are right already are not touched. Nothing is written unless all contracts have companions.
pub fn write(contracts: &[PathBuf], out: &Path) -> Result<Vec<Written>, CompanionError> {
    let mut written = Vec::new();
    for compared in compare(contracts, out)? {
        let change = match compared.staleness() {
            None => Change::Unchanged,
            Some(Staleness::Missing) => Change::Created,
            Some(Staleness::Different) => Change::Updated,
        };
        let Compared {
            companions, path, ..
        } = compared;
        if change != Change::Unchanged {
            put(&path, &companions.text).map_err(|error| Problem::Unwritable(error).at(&path))?;
        }
        written.push(Written {
            package: companions.package,
            path,
            change,
        });
    }
    Ok(written)
}

/// Which files [`write()`] would change.
pub fn check(contracts: &[PathBuf], out: &Path) -> Result<Vec<Stale>, CompanionError> {
    let stale = |compared: Compared| {
        compared.staleness().map(|staleness| Stale {
            contract: compared.contract,
            path: compared.path,
            staleness,
        })
    };
    Ok(compare(contracts, out)?
        .into_iter()
        .filter_map(stale)
        .collect())
}

// === impl Compared ===

impl Compared {
    fn staleness(&self) -> Option<Staleness> {
        match &self.current {
            None => Some(Staleness::Missing),
            Some(text) if text == self.companions.text.as_bytes() => None,
            Some(_) => Some(Staleness::Different),
        }
    }
}

fn compare(contracts: &[PathBuf], out: &Path) -> Result<Vec<Compared>, CompanionError> {
    let mut owners: BTreeMap<PathBuf, &PathBuf> = BTreeMap::new();
    let mut all = Vec::new();
    for contract in contracts {
        let companions = companions(contract)?;
        let path = out.join(&companions.file);
        if let Some(other) = owners.insert(path.clone(), contract) {
            let other = other.clone();
            return Err(Problem::SameFile { file: path, other }.at(contract));
        }
        all.push(Compared {
            current: read(&path)?,
            contract: contract.clone(),
            companions,
            path,
        });
    }
    Ok(all)
}

/// What is in a file, if it exists.
fn read(path: &Path) -> Result<Option<Vec<u8>>, CompanionError> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problem::Unwritable(error).at(path)),
    }
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
