//! What holds of the shop besides: its books agree at every moment, and once nothing goes on any more each order has
//! happened as a whole, or nothing of it has.

use skald_core::saga::{Command, End, Record, Undone};

use super::{Held, Told, committed, tell};
use crate::{Failure, expect, story, world::World};

/// How far the sagas of the shop have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// One goes on, waits for a person, or was ended by the word of one.
    No,
    /// Somebody stopped one where it had nothing to undo: before its first step, or after its last scope, from where on it
    /// only goes forward. It has to be begun again.
    CutShort,
    /// All have ended, and did so by themselves.
    Yes,
}

pub(super) fn check(world: &World) -> Held {
    let Some(shop) = world.ledger.shop() else {
        return Ok(());
    };
    let wrongs = shop.wrongs(over(world)? == Over::Yes);
    expect(wrongs.is_empty(), || {
        let history = shop.history();
        format!("shop: {}; the order: {history}", wrongs.join("; "))
    })
    .map_err(|failure| failure.note(story::stories(world)))
}

/// Whether a saga of the shop has to be begun again, since somebody cut it short and left the order half done.
pub(crate) fn is_to_begin_again(world: &World) -> Result<bool, Failure> {
    let Some(shop) = world.ledger.shop() else {
        return Ok(false);
    };
    Ok(over(world)? == Over::CutShort && !shop.wrongs(true).is_empty())
}

fn over(world: &World) -> Result<Over, Failure> {
    Ok(match cut_short(world)? {
        None => Over::No,
        Some(components) if components.is_empty() => Over::Yes,
        Some(_) => Over::CutShort,
    })
}

/// The components whose sagas were cut short and have not got through since; nothing unless all have ended by themselves.
pub(crate) fn cut_short(world: &World) -> Result<Option<Vec<String>>, Failure> {
    let (mut cut_short, mut completed) = (Vec::new(), Vec::new());
    for summary in world.shelf.summaries() {
        let component = summary.component.clone();
        let told = tell(world, &summary.run, summary.standing, summary.note)?;
        match told.state.end() {
            _ if is_skipped(&told) => return Ok(None),
            Some(End::Completed { .. }) => completed.push(component),
            Some(End::RolledBack { .. }) if is_cut_short(&told) => cut_short.push(component),
            Some(End::RolledBack { .. }) => {}
            Some(End::Failed { .. }) | None => return Ok(None),
        }
    }
    cut_short.retain(|component| !completed.contains(component));
    Ok(Some(cut_short))
}

fn is_cut_short(told: &Told) -> bool {
    let commands = (0..told.state.commands()).filter_map(|at| told.state.command(at));
    let commands: Vec<&Command> = commands.collect();
    let is_begun = |one: &&Command| matches!(one, Command::Step(_) | Command::Wait { .. });
    let is_open = |one: &&&Command| matches!(one, Command::Open { .. });
    let scopes = commands.iter().filter(is_open).count();
    !commands.iter().any(is_begun) || committed(told).len() == scopes
}

fn is_skipped(told: &Told) -> bool {
    let is_word = |record: &Record| match record {
        Record::Completed { by, .. } => by.is_some(),
        Record::Undone { how, .. } => *how != Undone::Done,
        _ => false,
    };
    told.records.iter().any(|stamped| is_word(&stamped.record))
}
