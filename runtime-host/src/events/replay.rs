//! `skald events replay`: lets a subscriber hear again what it has heard before.

use serde_json::json;
use skald_admin::view::Replay;

use super::confirm::confirm;
use crate::{
    cli,
    failure::Failure,
    present::{self, log},
    remote::Remote,
};

/// Tells what it would be, asks, and does it.
pub(super) fn replay(remote: &Remote, asked: &cli::Replay) -> Result<(), Failure> {
    let order = |dry_run: bool| {
        let order = json!({
            "to": asked.to,
            "from": asked.from,
            "dry_run": dry_run,
            "who": asked.who.who,
        });
        let told = remote.post("replay", &order)?;
        serde_json::from_value::<Replay>(told).map_err(|error| remote.foreign(&error))
    };
    if !asked.yes {
        let tried = order(true)?;
        present::say(&log::replay(&tried));
        if asked.dry_run || tried.again == 0 {
            return Ok(());
        }
        let what = format!("{} handles these events again.", asked.to);
        confirm(asked.yes, &what)?;
    }
    let done = order(false)?;
    if asked.yes {
        present::say(&log::replay(&done));
    }
    if done.again > 0 {
        present::say(&format!(
            "It is under way; see `skald events lag --subscriber {}`.",
            asked.to
        ));
    }
    Ok(())
}
