//! What always holds, one function for each.

pub(crate) mod shop;

use std::collections::{BTreeMap, HashMap, HashSet};

use skald_core::saga::{
    Command, Direction, End, Outcome, Record, RunId, Stamped, State, Undone, journal::Standing,
    step_key, view,
};

use crate::{Failure, expect, ledger::Effect, world::World};

/// A run, as its journal and the ledger tell of it.
pub struct Told {
    /// Which.
    pub run: RunId,
    /// Its records.
    pub records: Vec<Stamped>,
    /// The epochs of its entries.
    pub epochs: Vec<u64>,
    /// What they come to.
    pub state: State,
    /// What was done for it.
    pub effects: Vec<Effect>,
    /// What each play of its code saw.
    pub plays: Vec<Vec<String>>,
    /// Steps whose callees do not know keys.
    pub standing: Standing,
    /// What the list says in words.
    pub note: String,
    /// Whether the services of the shop are called.
    has_shop: bool,
}

type Held = Result<(), Failure>;

/// All of them, for all runs.
pub fn check(world: &World) -> Held {
    no_ghost_effect(world)?;
    ack_is_durable(world)?;
    told_the_same(world)?;
    for summary in world.shelf.summaries() {
        let told = tell(world, &summary.run, summary.standing, summary.note)?;
        held(&told).map_err(|failure| failure.note(timeline(&told)))?;
    }
    shop::check(world)
}

/// A real server says of journals what those in memory say.
fn told_the_same(world: &World) -> Held {
    let differences = world.shelf.differences();
    expect(differences.is_empty(), || differences.join("\n"))
}

fn held(told: &Told) -> Held {
    no_unknown_key(told)?;
    one_effect_per_key(told)?;
    prefix_determinism(told)?;
    single_writer(told)?;
    terminal_is_final(told)?;
    undo_completeness(told)?;
    undo_order(told)?;
    no_undo_after_commit(told)?;
    no_early_timer(told)?;
    told_why(told)?;
    answers_are_effects(told)
}

/// A run of the shelf.
pub fn tell(world: &World, run: &RunId, standing: Standing, note: String) -> Result<Told, Failure> {
    let damaged = |damage: &dyn ToString| Failure::new(format!("{run}: {}", damage.to_string()));
    let (records, epochs) = world.shelf.read(run).map_err(|damage| damaged(&damage))?;
    let state = State::fold(records.clone()).map_err(|invalid| damaged(&invalid))?;
    let effects = world.ledger.effects();
    Ok(Told {
        run: run.clone(),
        records,
        epochs,
        state,
        effects: effects
            .into_iter()
            .filter(|effect| effect.run == *run)
            .collect(),
        plays: world.actors.plays(run),
        standing,
        note,
        has_shop: world.ledger.shop().is_some(),
    })
}

/// The story of a run, for a failure.
pub fn timeline(told: &Told) -> String {
    let mut text = format!("{} ({}):", told.run, told.standing.as_str());
    for line in view::timeline(&told.state, &told.records) {
        let ordinal = line.ordinal.map_or_else(String::new, |at| format!("{at} "));
        let outcome = line.outcome.unwrap_or_default();
        text.push_str(&format!(
            "\n  {ordinal}{} {} => {outcome}",
            line.kind, line.what
        ));
    }
    for effect in &told.effects {
        let what = if effect.is_undo { "undo" } else { "effect" };
        text.push_str(&format!("\n  ledger: {what} of step {}", effect.step));
    }
    text
}

/// I1: every call that a callee sees carries a key that the run's journal says was issued, when it is seen; none is sent
/// after the end, and no undo while a step may take effect.
fn no_ghost_effect(world: &World) -> Held {
    let violations = world.ledger.violations();
    expect(violations.is_empty(), || {
        format!("I1 no ghost effect: {}", violations.join("; "))
    })
}

/// I1, once more at the end: every effect is of a command in the journal, under the key of that command.
fn no_unknown_key(told: &Told) -> Held {
    let mut keys = HashMap::new();
    for ordinal in 0..told.state.commands() {
        match told.state.command(ordinal) {
            Some(Command::Step(_)) => {
                keys.insert(step_key(&told.run, ordinal, Direction::Forward), false);
            }
            Some(Command::Register { .. }) => {
                keys.insert(step_key(&told.run, ordinal, Direction::Undo), true);
            }
            _ => {}
        }
    }
    for effect in &told.effects {
        expect(keys.get(&effect.key) == Some(&effect.is_undo), || {
            format!("I1 no ghost effect: {effect:?} is of nothing in the journal")
        })?;
    }
    Ok(())
}

/// I2: a callee that knows keys does each step, and each undo, once.
fn one_effect_per_key(told: &Told) -> Held {
    let mut done = HashSet::new();
    for effect in &told.effects {
        // A plan of the shop may note the same undo twice; each has a key of its own.
        let key = told.has_shop.then_some(effect.key.as_str());
        expect(done.insert((effect.step, effect.is_undo, key)), || {
            let what = if effect.is_undo { "undone" } else { "done" };
            format!("I2 one effect: step {} was {what} twice", effect.step)
        })?;
    }
    Ok(())
}

/// I3: each play of the code sees what the plays before saw, times included.
fn prefix_determinism(told: &Told) -> Held {
    for play in &told.plays {
        let times = play.iter().filter_map(|line| line.strip_prefix("at "));
        let times: Vec<u64> = times.filter_map(|at| at.parse().ok()).collect();
        expect(times.is_sorted(), || {
            "I3 determinism: time goes back for the code".to_owned()
        })?;
    }
    let mut longest: &[String] = &[];
    for play in &told.plays {
        let common = longest.len().min(play.len());
        for (at, (one, other)) in longest.iter().zip(play).take(common).enumerate() {
            expect(one == other, || {
                format!("I3 determinism: line {at} was {one:?} and is {other:?} in a replay")
            })?;
        }
        if play.len() > longest.len() {
            longest = play;
        }
    }
    Ok(())
}

/// I4: what was said to be durable is in the journal.
fn ack_is_durable(world: &World) -> Held {
    let promises = world.promises.lock();
    for run in &promises.runs {
        let records = world.shelf.bytes(run);
        expect(!records.is_empty(), || {
            format!("I4 ack is durable: {run} was said to have begun")
        })?;
    }
    for (run, id) in &promises.signals {
        let (records, _) = world.shelf.read(run).unwrap_or_default();
        let is_there = |stamped: &Stamped| matches!(&stamped.record, Record::Signalled { id: sent, .. } if sent == id);
        expect(
            records.iter().filter(|one| is_there(one)).count() == 1,
            || format!("I4 ack is durable: the signal {id:?} of {run} is not there once"),
        )?;
    }
    Ok(())
}

/// I5: epochs of a journal's entries never go back.
fn single_writer(told: &Told) -> Held {
    let pairs = told.epochs.iter().zip(told.epochs.iter().skip(1));
    for (one, next) in pairs {
        expect(one <= next, || {
            format!("I5 single writer: epoch {next} wrote after {one}")
        })?;
    }
    Ok(())
}

/// I6: a run ends once, and nothing follows.
fn terminal_is_final(told: &Told) -> Held {
    let is_end = |stamped: &&Stamped| matches!(stamped.record, Record::Ended { .. });
    let ends = told.records.iter().filter(is_end).count();
    let is_last = told.records.last().is_some_and(|last| is_end(&last));
    let expected = usize::from(told.standing.is_end());
    expect(ends == expected && (ends == 0 || is_last), || {
        format!("I6 terminal is final: there are {ends} ends, where {expected} are right")
    })
}

/// I7: after a rollback every entry of a scope that was not committed is undone, and that was done at its callee.
fn undo_completeness(told: &Told) -> Held {
    let undone: HashSet<&str> = told
        .effects
        .iter()
        .filter(|effect| effect.is_undo)
        .map(|effect| effect.key.as_str())
        .collect();
    for (ordinal, undo) in told.state.undos() {
        let key = step_key(&told.run, *ordinal, Direction::Undo);
        if undo.how == Some(Undone::Done) {
            expect(undone.contains(key.as_str()), || {
                format!("I7 undo completeness: entry {ordinal} is said to be undone")
            })?;
        }
        let is_due = matches!(told.state.end(), Some(End::RolledBack { .. }))
            && !committed(told).contains(&undo.scope);
        expect(!is_due || undo.how.is_some(), || {
            format!("I7 undo completeness: entry {ordinal} is not undone")
        })?;
        let is_kept = matches!(told.state.end(), Some(End::Completed { .. }));
        let is_settled = undo.how.is_some() || committed(told).contains(&undo.scope);
        expect(!is_kept || is_settled, || {
            format!("I7 undo completeness: entry {ordinal} is neither kept nor undone")
        })?;
    }
    Ok(())
}

/// I8: entries are undone in the reverse of the order they were registered in, within a scope.
fn undo_order(told: &Told) -> Held {
    let mut last: BTreeMap<u32, u32> = BTreeMap::new();
    for stamped in &told.records {
        let Record::Undone { ordinal, .. } = &stamped.record else {
            continue;
        };
        let scope = told.state.undos().get(ordinal).map_or(0, |undo| undo.scope);
        let before = last.insert(scope, *ordinal);
        expect(before.is_none_or(|before| before > *ordinal), || {
            format!("I8 undo order: entry {ordinal} was undone after {before:?}")
        })?;
    }
    let steps: Vec<_> = told
        .effects
        .iter()
        .filter(|effect| effect.is_undo)
        .collect();
    for pair in steps.windows(2) {
        if let [one, next] = pair {
            let place = |effect: &Effect| place_of(told, &effect.key);
            let is_same_scope = place(one).0 == place(next).0;
            expect(!is_same_scope || place(one).1 > place(next).1, || {
                format!(
                    "I8 undo order: the ledger has step {} before {}",
                    one.step, next.step
                )
            })?;
        }
    }
    Ok(())
}

/// The scope and the ordinal of an undo entry.
fn place_of(told: &Told, key: &str) -> (u32, u32) {
    let entries = told.state.undos().iter();
    let is_it = |ordinal: u32| step_key(&told.run, ordinal, Direction::Undo) == key;
    let mut found = entries.filter(|(ordinal, _)| is_it(**ordinal));
    found
        .next()
        .map_or((0, 0), |(ordinal, undo)| (undo.scope, *ordinal))
}

/// I9: nothing of a committed scope is undone, and nothing twice.
fn no_undo_after_commit(told: &Told) -> Held {
    let committed = committed(told);
    let mut undone = HashSet::new();
    for stamped in &told.records {
        if let Record::Undone { ordinal, .. } = &stamped.record {
            expect(undone.insert(*ordinal), || {
                format!("I9 none twice: entry {ordinal} is undone twice")
            })?;
        }
    }
    for (ordinal, undo) in told.state.undos() {
        let key = step_key(&told.run, *ordinal, Direction::Undo);
        let is_called = told.effects.iter().any(|effect| effect.key == key);
        expect(!committed.contains(&undo.scope) || !is_called, || {
            format!("I9 no undo after commit: entry {ordinal} was undone")
        })?;
    }
    Ok(())
}

fn committed(told: &Told) -> HashSet<u32> {
    let commands = (0..told.state.commands()).filter_map(|at| told.state.command(at));
    commands
        .filter_map(|command| match command {
            Command::Commit { scope } => Some(*scope),
            _ => None,
        })
        .collect()
}

/// No timer fires before its time.
fn no_early_timer(told: &Told) -> Held {
    for ordinal in 0..told.state.commands() {
        let timer = match told.state.command(ordinal) {
            Some(Command::Sleep { milliseconds }) => Some(*milliseconds),
            Some(Command::Wait { timeout_ms, .. }) => *timeout_ms,
            _ => None,
        };
        let (Some(timer), Some((outcome, at))) = (timer, told.state.outcome(ordinal)) else {
            continue;
        };
        let due = told.state.issued_at(ordinal).unwrap_or(0) + timer * 1_000;
        let is_timer = matches!(outcome, Outcome::Fired | Outcome::TimedOut);
        expect(!is_timer || at >= due, || {
            format!("timers: number {ordinal} fired at {at}, and was due at {due}")
        })?;
    }
    Ok(())
}

/// I10, the part that is seen at the end: a run that waits for a person says why. That it comes so far is [`crate::world::Host::quiet`].
fn told_why(told: &Told) -> Held {
    let is_parked = told.state.parked().is_some();
    expect(is_parked == (told.standing == Standing::Parked), || {
        "I10 liveness: the list and the journal do not agree on who is parked".to_owned()
    })?;
    expect(!is_parked || !told.note.is_empty(), || {
        "I10 liveness: a run is parked and does not say why".to_owned()
    })
}

/// A step whose answer is in the journal was done, unless its callee refused it or a person said so.
fn answers_are_effects(told: &Told) -> Held {
    let done: HashSet<&str> = told
        .effects
        .iter()
        .map(|effect| effect.key.as_str())
        .collect();
    for stamped in &told.records {
        let Record::Completed {
            ordinal,
            outcome: Outcome::Returned(answer),
            by: None,
        } = &stamped.record
        else {
            continue;
        };
        let is_refused = matches!(answer, Some(skald_core::value::Value::Result(Err(_))));
        let key = step_key(&told.run, *ordinal, Direction::Forward);
        expect(is_refused || done.contains(key.as_str()), || {
            format!("step {ordinal} is answered and was never done")
        })?;
    }
    Ok(())
}
