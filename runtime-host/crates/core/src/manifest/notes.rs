//! What is noted about a manifest while it is read: mistakes and doubts, each with its place.

use std::{cell::RefCell, ops::Range, sync::Arc};

use super::problem::{Problem, Problems};

/// The notes taken while a manifest is read.
#[derive(Debug)]
pub(super) struct Notes {
    file: Arc<str>,
    /// Where each line starts, to turn an offset into a line.
    line_starts: Vec<usize>,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

/// A place in the manifest, kept for what can only be checked later.
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) line: usize,
    pub(super) place: String,
}

// === impl Notes ===

impl Notes {
    pub(super) fn new(file: &str, text: &str) -> Self {
        let after_newlines = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            file: file.into(),
            line_starts: std::iter::once(0).chain(after_newlines).collect(),
            problems: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// Notes a mistake.
    pub(super) fn problem(&self, at: &At, message: impl Into<String>) {
        self.problems
            .borrow_mut()
            .push(self.note(at, message.into()));
    }

    /// Notes something that is allowed and probably not meant.
    pub(super) fn warning(&self, at: &At, message: impl Into<String>) {
        self.warnings
            .borrow_mut()
            .push(self.note(at, message.into()));
    }

    /// The problems and the warnings.
    pub(super) fn into_lists(self) -> (Problems, Problems) {
        (
            Problems::new(Arc::clone(&self.file), self.problems.into_inner()),
            Problems::new(self.file, self.warnings.into_inner()),
        )
    }

    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.line_starts
            .partition_point(|start| *start <= span.start)
    }

    fn note(&self, at: &At, message: String) -> Problem {
        Problem {
            file: Arc::clone(&self.file),
            line: at.line,
            place: at.place.clone(),
            message,
        }
    }
}
