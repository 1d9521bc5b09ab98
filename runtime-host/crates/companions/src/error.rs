//! What can be wrong with a contract, and what to do about it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why a contract has no companions, or their file could not be written.
#[derive(Debug, Error)]
#[error("{}: {problem}", path.display())]
pub struct CompanionError {
    /// The contract, or the file that was to be read or written.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Error)]
pub enum Problem {
    /// The contract cannot be read from the disk.
    #[error("it cannot be read ({0}); give the folder of a contract, or its .wit file")]
    Unreadable(io::Error),
    /// The folder holds no contract.
    #[error("there is no .wit file in it; give the folder of a contract, or its .wit file")]
    NoFiles,
    /// The contract is not WIT.
    #[error("it is not valid WIT; mend this first:\n{0}")]
    Syntax(String),
    /// Another package is not where it is looked for.
    #[error(
        "it needs package {package}, which is neither in its folder `deps` nor beside it; put it there{}",
        suspects(unreadable)
    )]
    Missing {
        /// The name of the package.
        package: String,
        /// What could be that package, were it readable.
        unreadable: Vec<PathBuf>,
    },
    /// The package has no functions at all.
    #[error(
        "package {package} has no functions in its interfaces, so there is nothing to undo or to start; leave it out"
    )]
    NoFunctions {
        /// The name of the package.
        package: String,
    },
    /// There are functions, and none is for sagas.
    #[error(
        "package {package} has no function that a saga can call; give it a plain one, or leave it out:{}",
        items(left_out)
    )]
    AllLeftOut {
        /// The name of the package.
        package: String,
        /// The functions, each with the reason.
        left_out: Vec<String>,
    },
    /// Functions of the contract have names that the companions need.
    #[error("names of its functions are needed by the companions; rename them:{}", items(.0))]
    Collisions(Vec<Collision>),
    /// Two contracts have one file for their companions.
    #[error("its companions belong into {}, as do those of {}; give only one of the two, or rename one", file.display(), other.display())]
    SameFile {
        /// The file of both.
        file: PathBuf,
        /// The contract that came first.
        other: PathBuf,
    },
    /// The file of the companions cannot be written.
    #[error("it cannot be written ({0}); see that the folder exists and is yours")]
    Unwritable(io::Error),
}

impl Problem {
    /// The same, said of a path.
    pub(crate) fn at(self, path: &Path) -> CompanionError {
        CompanionError {
            path: path.to_owned(),
            problem: self,
        }
    }
}

/// Two things that would have one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    /// The interface of the contract.
    pub interface: String,
    /// The function whose name it is.
    pub function: String,
    /// What else has that name in a companion.
    pub with: String,
}

impl fmt::Display for Collision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            interface,
            function,
            with,
        } = self;
        write!(f, "`{function}` of `{interface}` is the name of {with}")
    }
}

fn items<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("\n  - {item}")).collect()
}

fn suspects(unreadable: &[PathBuf]) -> String {
    if unreadable.is_empty() {
        return String::new();
    }
    let paths: Vec<_> = unreadable.iter().map(|path| path.display()).collect();
    format!(", or mend what could not be read there:{}", items(&paths))
}
