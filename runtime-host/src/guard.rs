//! How long the journals of this node's runs were, in a file of its own: a Redis that comes back without what it had
//! acknowledged does not know that anything is missing.
//!
//! Each note is a line, written at once and not flushed to the disk. It outlives the process, which is the case that matters:
//! a machine that loses its own last second has no say about what Redis has lost.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use skald_core::saga::RunId;
use skald_saga::Guard;

use crate::files::{self, Lasting};

/// The file's name in the data directory.
const FILE: &str = "journals";

/// So many runs that have ended are remembered, too: a Redis that has lost its last seconds shows them as if they had not.
const ENDED: usize = 20_000;

/// After how many lines beyond what is remembered the file is written anew.
const SLACK: usize = 100_000;

/// A file that remembers.
pub(crate) struct FileGuard(Mutex<Memory>);

struct Memory {
    file: PathBuf,
    open: File,
    lines: usize,
    entries: HashMap<RunId, u64>,
    /// The runs that have ended, in the order of their ends.
    ended: VecDeque<RunId>,
}

// === impl FileGuard ===

impl FileGuard {
    /// Reads what an earlier process of this node has noted. A line that is not whole was being written when it ended.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let file = data.join(FILE);
        let (mut entries, mut ended) = (HashMap::new(), VecDeque::new());
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        for line in text.split_inclusive('\n') {
            let whole = line
                .strip_suffix('\n')
                .and_then(|line| line.split_once(' '));
            match whole.and_then(|(run, count)| Some((RunId::from(run), count.parse().ok()?))) {
                Some((run, 0)) => ended.push_back(run),
                Some((run, count)) => drop(entries.insert(run, count)),
                None => {}
            }
        }
        let open = File::options().append(true).create(true).open(&file)?;
        let mut memory = Memory {
            lines: 0,
            file,
            open,
            entries,
            ended,
        };
        memory.write()?;
        Ok(Self(Mutex::new(memory)))
    }

    fn say(&self, run: &RunId, count: u64) {
        let mut memory = self.0.lock();
        match count {
            0 => memory.end(run),
            count => drop(memory.entries.insert(run.clone(), count)),
        }
        if let Err(error) = memory.say(run, count) {
            // Runs go on; only a loss of Redis would go unnoticed.
            tracing::warn!(%error, file = %memory.file.display(), "the length of a journal could not be noted");
        }
    }
}

impl Guard for FileGuard {
    fn note(&self, run: &RunId, entries: u64) {
        self.say(run, entries);
    }

    fn had(&self, run: &RunId) -> Option<u64> {
        self.0.lock().entries.get(run).copied()
    }

    fn open(&self) -> Vec<(RunId, u64)> {
        let memory = self.0.lock();
        let ended: HashSet<&RunId> = memory.ended.iter().collect();
        let is_open = |(run, _): &(&RunId, &u64)| !ended.contains(run);
        let open = memory.entries.iter().filter(is_open);
        open.map(|(run, count)| (run.clone(), *count)).collect()
    }

    fn forget(&self, run: &RunId) {
        self.say(run, 0);
    }
}

// === impl Memory ===

impl Memory {
    fn say(&mut self, run: &RunId, count: u64) -> io::Result<()> {
        self.lines += 1;
        if self.lines > self.entries.len() + SLACK {
            return self.write();
        }
        self.open.write_all(format!("{run} {count}\n").as_bytes())
    }

    fn end(&mut self, run: &RunId) {
        self.ended.push_back(run.clone());
        while self.ended.len() > ENDED {
            if let Some(oldest) = self.ended.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }

    /// Writes the file anew, whole or not at all.
    fn write(&mut self) -> io::Result<()> {
        let mut text = String::new();
        for (run, count) in &self.entries {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{run} {count}");
        }
        for run in &self.ended {
            let _ = writeln!(text, "{run} 0");
        }
        files::replace(&self.file, text.as_bytes(), Lasting::Process)?;
        self.open = File::options().append(true).open(&self.file)?;
        self.lines = self.entries.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use skald_saga::Guard;

    use super::{ENDED, FILE, FileGuard};

    #[test]
    fn what_was_noted_is_remembered_by_the_next_process() {
        let data = tempfile::tempdir().unwrap();
        let guard = FileGuard::open(data.path()).unwrap();
        for (run, entries) in [("run_a", 1), ("run_b", 1), ("run_a", 2), ("run_c", 7)] {
            guard.note(&run.into(), entries);
        }
        guard.forget(&"run_b".into());
        drop(guard);
        // The process died while it wrote.
        let mut file = fs::File::options()
            .append(true)
            .open(data.path().join(FILE))
            .unwrap();
        file.write_all(b"run_c 8").unwrap();
        let guard = FileGuard::open(data.path()).unwrap();
        let had = ["run_a", "run_b", "run_c"].map(|run| guard.had(&run.into()));
        assert_eq!(had, [Some(2), Some(1), Some(7)]);
        let mut open = guard.open();
        open.sort_unstable();
        assert_eq!(open, [("run_a".into(), 2), ("run_c".into(), 7)]);
        // Those that have ended make room for others of their kind.
        for number in 0..ENDED {
            guard.forget(&format!("run_{number}").as_str().into());
        }
        assert_eq!(guard.had(&"run_b".into()), None);
    }
}
