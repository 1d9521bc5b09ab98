//! `skald saga companions`: keeps the companions of contracts as their contracts are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use skald_companions::{Change, Staleness};

use crate::failure::Failure;
use crate::{cli::Companions, present};

/// Writes them, or says which are not as they should be.
pub(crate) fn companions(asked: &Companions) -> Result<(), Failure> {
    let contracts = if asked.contracts.is_empty() {
        known(&asked.out)?
    } else {
        asked.contracts.clone()
    };
    if asked.check {
        return check(&contracts, &asked.out);
    }
    for written in skald_companions::write(&contracts, &asked.out)? {
        let change = match written.change {
            Change::Created => "created",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
        };
        let path = written.path.display();
        present::say(&format!("{change:9}  {path}  {}", written.package));
    }
    Ok(())
}

fn check(contracts: &[PathBuf], out: &Path) -> Result<(), Failure> {
    let stale = skald_companions::check(contracts, out)?;
    if stale.is_empty() {
        present::say(&format!(
            "{} companions are as their contracts ask.",
            contracts.len()
        ));
        return Ok(());
    }
    let mut told = format!(
        "{} companion(s) are not as their contracts ask:",
        stale.len()
    );
    for one in stale {
        let what = match one.staleness {
            Staleness::Missing => "is missing",
            Staleness::Different => "says something else",
        };
        let (path, contract) = (one.path.display(), one.contract.display());
        told += &format!("\n  - {path} {what}; write it with `skald saga companions {contract}`");
    }
    Err(Failure::Findings(told))
}

/// The contracts whose companions are there: `wit/payments` for `wit/companions/payments`.
fn known(out: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::File(out.to_owned(), error);
    let beside = out.parent().unwrap_or(Path::new(""));
    let mut contracts = Vec::new();
    for entry in fs::read_dir(out).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_dir() {
            contracts.push(beside.join(entry.file_name()));
        }
    }
    contracts.sort();
    if contracts.is_empty() {
        let what = format!(
            "{} has no companions yet; name the contracts",
            out.display()
        );
        return Err(Failure::Input(what));
    }
    Ok(contracts)
}
