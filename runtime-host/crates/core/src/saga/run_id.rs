//! Names that are the same on every start: of runs, and of what they do outside.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{hex, manifest::ComponentId};

/// The name of a run: `run_` and 24 hexadecimal digits, made of the component and the start key. So a second start with
/// the same key finds the run of the first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct RunId(Arc<str>);

/// Whether a call does something or undoes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It does something.
    Forward,
    /// It undoes something.
    Undo,
}

// === impl RunId ===

impl RunId {
    /// The run of this component that this key begins.
    pub fn of(component: &ComponentId, key: &str) -> Self {
        let digits = digest(&[b"skald run", component.as_str().as_bytes(), key.as_bytes()]);
        let digits = digits.get(..24).unwrap_or_default();
        Self(Arc::from(format!("run_{digits}")))
    }

    /// As people and the journal write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where random numbers of the run come from.
    pub fn seed(&self) -> [u8; 32] {
        hash(&[b"skald seed", self.0.as_bytes()])
    }
}

impl From<&str> for RunId {
    fn from(text: &str) -> Self {
        Self(Arc::from(text))
    }
}

impl From<String> for RunId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.as_str().to_owned()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What callees know a step by: the same each time it is sent, and no other step's.
pub fn step_key(run: &RunId, ordinal: u32, direction: Direction) -> String {
    let direction: &[u8] = match direction {
        Direction::Forward => b"forward",
        Direction::Undo => b"undo",
    };
    let parts = [
        b"skald step",
        run.0.as_bytes(),
        &ordinal.to_be_bytes(),
        direction,
    ];
    short(&parts)
}

/// A name of the run's own for something outside.
pub fn label_key(run: &RunId, label: &str) -> String {
    short(&[b"skald label", run.0.as_bytes(), label.as_bytes()])
}

fn short(parts: &[&[u8]]) -> String {
    let mut digits = digest(parts);
    digits.truncate(32);
    digits
}

fn digest(parts: &[&[u8]]) -> String {
    hex::digits(&hash(parts))
}

/// Each part with its length, so that no two lists of parts look alike.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable_across_releases() {
        let run = RunId::of(&ComponentId::from("checkout"), "evt_1");
        insta::assert_snapshot!(run, @"run_e367a4e3e9087931f9faf519");
        insta::assert_snapshot!(step_key(&run, 7, Direction::Forward), @"d2432fd6c79103f9c9a6e2acb572b25a");
        insta::assert_snapshot!(step_key(&run, 7, Direction::Undo), @"fc028ee044b3d32c041d2785535265d1");
        insta::assert_snapshot!(label_key(&run, "7"), @"2d933801db4e7710c7f5b81c4c8c4c21");
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let run = |component: &str, key: &str| RunId::of(&ComponentId::from(component), key);
        assert_ne!(run("a", "bc"), run("ab", "c"));
    }
}
