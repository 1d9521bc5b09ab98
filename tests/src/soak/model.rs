//! What must come of a program, said as simply as it can be: no steps, no journals, no crashes.

use std::collections::{BTreeMap, BTreeSet};

use super::program::{Act, DRAWN, Effect, Ending, LOOKED, Program};

/// What a run must have done to the counters, and how it must have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// One after the other.
    blocks: Vec<Block>,
    /// Additions that nobody waited for: anywhere, but before they are undone.
    strays: BTreeMap<u32, Sum>,
    /// Whether the run is rolled back at its end.
    pub(super) is_rolled_back: bool,
}

/// What is done beside each other, in any order.
type Block = Vec<Line>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Added(u32, Sum),
    Undone(u32),
}

/// What is added: where, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sum {
    key: u32,
    least: u32,
    most: u32,
}

/// The model while it runs.
#[derive(Default)]
struct Model {
    expected: Expected,
    /// Undo entries that are neither done nor needless, with their scopes, in the order in which they were registered.
    entries: Vec<(u32, u32)>,
    scopes: u32,
}

/// What was added, as the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) key: u32,
    pub(super) amount: u32,
}

/// The code has come to an error.
struct Failed;

/// What must come of it.
pub(super) fn expect(program: &Program) -> Expected {
    let mut model = Model::default();
    let ended = model.all(&program.acts, None);
    let mut expected = model.expected;
    expected.is_rolled_back = ended.is_err() || !model.entries.is_empty();
    let undone = model.entries.iter().rev();
    expected
        .blocks
        .extend(undone.map(|(_, tag)| vec![Line::Undone(*tag)]));
    expected
}

/// The signals that a program waits for, each with how much it says to add.
pub(super) fn signals(acts: &[Act]) -> Vec<(&str, u32)> {
    let mut found = Vec::new();
    for act in acts {
        match act {
            Act::Wait(signal, effect) => found.push((signal.as_str(), effect.amount)),
            Act::Scope(acts, _) => found.extend(signals(acts)),
            Act::Say(_)
            | Act::Add(_)
            | Act::Refused(_)
            | Act::Fan(..)
            | Act::Stray(_)
            | Act::Sleep(_)
            | Act::Miss(..)
            | Act::Look(..)
            | Act::Chance(_)
            | Act::Vain(_)
            | Act::Fail(_) => {}
        }
    }
    found
}

// === impl Model ===

impl Model {
    fn all(&mut self, acts: &[Act], scope: Option<u32>) -> Result<(), Failed> {
        acts.iter().try_for_each(|act| self.one(act, scope))
    }

    fn one(&mut self, act: &Act, scope: Option<u32>) -> Result<(), Failed> {
        match act {
            Act::Say(_) | Act::Refused(_) | Act::Sleep(_) | Act::Miss(..) => {}
            Act::Add(effect) | Act::Wait(_, effect) => {
                let line = self.added(effect, (effect.amount, effect.amount), scope);
                self.expected.blocks.push(vec![line]);
            }
            Act::Look(_, effect) => {
                let line = self.added(effect, (1, LOOKED), scope);
                self.expected.blocks.push(vec![line]);
            }
            Act::Chance(effect) => {
                let line = self.added(effect, (1, DRAWN), scope);
                self.expected.blocks.push(vec![line]);
            }
            Act::Fan(effects, _) => {
                let lines = effects.iter();
                let block = lines
                    .map(|effect| self.added(effect, (effect.amount, effect.amount), scope))
                    .collect();
                self.expected.blocks.push(block);
            }
            Act::Stray(effect) => {
                self.register(effect.tag, scope);
                let sum = Sum::new(effect.key, (effect.amount, effect.amount));
                self.expected.strays.insert(effect.tag, sum);
            }
            Act::Vain(tag) => self.register(*tag, scope),
            Act::Scope(acts, ending) => self.scope(acts, *ending)?,
            Act::Fail(_) => return Err(Failed),
        }
        Ok(())
    }

    fn scope(&mut self, acts: &[Act], ending: Ending) -> Result<(), Failed> {
        self.scopes += 1;
        let scope = self.scopes;
        self.all(acts, Some(scope))?;
        let (ended, others) = match ending {
            Ending::Leave => return Ok(()),
            Ending::Commit | Ending::Rollback => {
                let entries = std::mem::take(&mut self.entries);
                entries.into_iter().partition(|(of, _)| *of == scope)
            }
        };
        let ended: Vec<(u32, u32)> = ended;
        self.entries = others;
        if ending == Ending::Rollback {
            let undone = ended.iter().rev();
            let blocks = undone.map(|(_, tag)| vec![Line::Undone(*tag)]);
            self.expected.blocks.extend(blocks);
        }
        Ok(())
    }

    fn added(&mut self, effect: &Effect, amounts: (u32, u32), scope: Option<u32>) -> Line {
        self.register(effect.tag, scope);
        Line::Added(effect.tag, Sum::new(effect.key, amounts))
    }

    fn register(&mut self, tag: u32, scope: Option<u32>) {
        self.entries.extend(scope.map(|scope| (scope, tag)));
    }
}

// === impl Sum ===

impl Sum {
    const fn new(key: u32, (least, most): (u32, u32)) -> Self {
        Self { key, least, most }
    }
}

// === impl Expected ===

impl Expected {
    /// Compares it with what the counters have written down; answers with what is left at the counters.
    pub(super) fn compare(&self, log: &[String]) -> Result<Vec<Kept>, String> {
        let lines = log.iter().map(|line| parse(line));
        let mut lines: Vec<(Line, u32)> = lines.collect::<Result<_, _>>()?;
        let kept = kept(&lines);
        self.take_strays(&mut lines)?;
        let mut lines = lines.into_iter();
        for block in &self.blocks {
            let mut wanted: BTreeSet<usize> = (0..block.len()).collect();
            while !wanted.is_empty() {
                let (line, amount) = lines
                    .next()
                    .ok_or_else(|| format!("the log ends before {block:?}"))?;
                let fits = |at: &usize| block.get(*at).is_some_and(|want| want.fits(line, amount));
                let found = wanted.iter().copied().find(fits);
                let found = found.ok_or_else(|| format!("{line:?} is not of {block:?}"))?;
                wanted.remove(&found);
            }
        }
        match lines.next() {
            Some((line, _)) => Err(format!("{line:?} is too much")),
            None => Ok(kept),
        }
    }

    /// Takes out what nobody waited for, if it is there as it should. Where the whole run was rolled back nobody knows
    /// whether it was made.
    fn take_strays(&self, lines: &mut Vec<(Line, u32)>) -> Result<(), String> {
        for (tag, sum) in &self.strays {
            let is_it = |line: &(Line, u32)| matches!(line.0, Line::Added(of, _) if of == *tag);
            match lines.iter().position(is_it) {
                Some(place) => take_stray(lines, place, Line::Added(*tag, *sum))?,
                None if self.is_rolled_back => {}
                None => {
                    return Err(format!(
                        "addition {tag}, which nobody waits for, was not made"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn take_stray(lines: &mut Vec<(Line, u32)>, place: usize, wanted: Line) -> Result<(), String> {
    let before = lines.get(..place).unwrap_or_default();
    let is_undone = |line: &(Line, u32)| matches!((line.0, wanted), (Line::Undone(of), Line::Added(tag, _)) if of == tag);
    if before.iter().any(is_undone) {
        return Err(format!("{wanted:?} was made after it was undone"));
    }
    let (line, amount) = lines.remove(place);
    if wanted.fits(line, amount) {
        Ok(())
    } else {
        Err(format!("{line:?} of {amount} is not {wanted:?}"))
    }
}

// === impl Line ===

impl Line {
    /// Whether what was written down is what was expected.
    fn fits(self, found: Self, amount: u32) -> bool {
        match (self, found) {
            (Self::Added(tag, sum), Self::Added(of, at)) => {
                tag == of && sum.key == at.key && (sum.least..=sum.most).contains(&amount)
            }
            (Self::Undone(tag), Self::Undone(of)) => tag == of,
            (Self::Added(..), Self::Undone(_)) | (Self::Undone(_), Self::Added(..)) => false,
        }
    }
}

/// `+tag key amount` or `-tag`.
fn parse(line: &str) -> Result<(Line, u32), String> {
    let foreign = || format!("the log has a line {line:?}");
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).ok_or_else(foreign);
    if let Some(tag) = line.strip_prefix('-') {
        return Ok((Line::Undone(number(Some(tag))?), 0));
    }
    let mut numbers = line.strip_prefix('+').ok_or_else(foreign)?.split(' ');
    let mut next = || number(numbers.next());
    let (tag, key, amount) = (next()?, next()?, next()?);
    Ok((Line::Added(tag, Sum::new(key, (amount, amount))), amount))
}

/// What was added and not undone.
fn kept(lines: &[(Line, u32)]) -> Vec<Kept> {
    let is_undone = |tag: u32| lines.iter().any(|line| line.0 == Line::Undone(tag));
    let kept = lines.iter().filter_map(|(line, amount)| match line {
        Line::Added(tag, sum) if !is_undone(*tag) => Some(Kept {
            key: sum.key,
            amount: *amount,
        }),
        Line::Added(..) | Line::Undone(_) => None,
    });
    kept.collect()
}

#[cfg(test)]
mod tests;
