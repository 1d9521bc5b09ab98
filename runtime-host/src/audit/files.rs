//! Entries and heads in files.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use super::{
    entry::{Entry, Head, Heads},
    verifier::Verifier,
};
use crate::failure::Failure;

/// A file that entries are written into, one on each line.
pub(super) struct Saved {
    file: BufWriter<File>,
    path: PathBuf,
}

// === impl Saved ===

impl Saved {
    /// A new file, in the place of one that is there.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|error| Failure::File(path.to_owned(), error))?;
        Ok(Self {
            file: BufWriter::new(file),
            path: path.to_owned(),
        })
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, entry: &Entry) -> Result<(), Failure> {
        let line =
            serde_json::to_string(entry).map_err(|error| Failure::Input(error.to_string()))?;
        let written = writeln!(self.file, "{line}");
        written.map_err(|error| Failure::File(self.path.clone(), error))
    }

    /// That was the last.
    pub(super) fn close(mut self) -> Result<(), Failure> {
        let written = self.file.flush();
        written.map_err(|error| Failure::File(self.path, error))
    }
}

/// Hands over every entry of a file. A line that cannot be read is a finding: a file that was cut ends so.
pub(super) fn entries(path: &Path, verifier: &mut Verifier) -> Result<(), Failure> {
    let unreadable = |error| Failure::File(path.to_owned(), error);
    let file = File::open(path).map_err(unreadable)?;
    for (line, number) in BufReader::new(file).split(b'\n').zip(1..) {
        let line = line.map_err(unreadable)?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Entry>(&line) {
            Ok(entry) => verifier.take(&entry),
            Err(error) => verifier.take_unreadable(number, &error.to_string()),
        }
    }
    Ok(())
}

/// The heads in a file.
pub(super) fn heads(path: &Path) -> Result<Vec<Head>, Failure> {
    let text = fs::read(path).map_err(|error| Failure::File(path.to_owned(), error))?;
    let heads: Heads = serde_json::from_slice(&text).map_err(|error| {
        let path = path.display();
        Failure::Input(format!("{path} has no heads of an audit record: {error}"))
    })?;
    Ok(heads.heads)
}

/// Writes heads into a file.
pub(super) fn save_heads(path: &Path, heads: Vec<Head>) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&Heads { heads });
    let text = text.map_err(|error| Failure::Input(error.to_string()))?;
    fs::write(path, text + "\n").map_err(|error| Failure::File(path.to_owned(), error))
}
