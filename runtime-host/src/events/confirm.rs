//! Asks before something is done that cannot be undone.

use std::io::{self, IsTerminal as _};

use crate::{failure::Failure, present};

/// Goes on if the person says so, or has said so already.
pub(super) fn confirm(is_said: bool, what: &str) -> Result<(), Failure> {
    if is_said {
        return Ok(());
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::Input(format!(
            "{what} Nobody can be asked here; say that you want it with --yes"
        )));
    }
    present::note(&format!("{what} Go on? [y/N]"));
    let mut answer = String::new();
    stdin
        .read_line(&mut answer)
        .map_err(|error| Failure::File("standard input".into(), error))?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Failure::Findings("nothing has changed".to_owned()))
    }
}
