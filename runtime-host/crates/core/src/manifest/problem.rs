//! What is wrong with a manifest, in words for the person who wrote it.

use std::{fmt, sync::Arc};

/// One mistake: where it is, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the file, as the caller gave it.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: usize,
    /// The table it is in, as its header would be written; empty at the top of the file.
    pub place: String,
    /// What is wrong and what to do about it.
    pub message: String,
}

/// Every mistake of a manifest, in the order of its lines. Never empty as an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    file: Arc<str>,
    list: Vec<Problem>,
}

// === impl Problem ===

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.place.is_empty() {
            write!(f, "{} ", self.place)?;
        }
        f.write_str(&self.message)
    }
}

// === impl Problems ===

impl Problems {
    /// Puts the problems in the order of their lines and drops repeated ones.
    pub(super) fn new(file: Arc<str>, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| problem.line);
        list.dedup();
        Self { file, list }
    }

    /// The problems, in the order of their lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.list
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.list.len() == 1 {
            "problem"
        } else {
            "problems"
        };
        write!(f, "{} has {} {noun}:", self.file, self.list.len())?;
        for problem in &self.list {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
