//! Programs drawn from a seed: the same number of the same seed is the same program.

use super::{
    dice::Dice,
    program::{Act, Effect, Ending, Program},
};

/// How many counters there are. Few enough that runs meet at them.
pub(super) const COUNTERS: u32 = 64;

/// How deep scopes nest.
const DEEPEST: u32 = 3;

/// How many things a run does at most, give or take a fan.
const MOST: u32 = 24;

/// The longest sleep in milliseconds. One in twenty is longer than a host lives.
const SLEEP: u32 = 400;
const LONG_SLEEP: u32 = 5_000;

/// Draws one program.
struct Draw {
    dice: Dice,
    /// The next effect's name.
    tag: u32,
    left: u32,
}

/// The program of that number.
pub(super) fn program(seed: u64, number: u64) -> Program {
    let mut dice = Dice::new(seed, number);
    let left = 2 + dice.below(MOST);
    let mut draw = Draw { dice, tag: 0, left };
    Program { acts: draw.acts(0) }
}

// === impl Draw ===

impl Draw {
    fn acts(&mut self, depth: u32) -> Vec<Act> {
        let count = 1 + self.dice.below(7);
        let mut acts = Vec::new();
        while acts.len() < count as usize && self.left > 0 {
            self.left -= 1;
            acts.push(self.act(depth));
        }
        acts
    }

    fn act(&mut self, depth: u32) -> Act {
        match self.dice.below(100) {
            0..20 => Act::Add(self.effect()),
            20..24 => Act::Refused(self.effect()),
            24..38 => self.fan(),
            38..43 => Act::Stray(self.effect()),
            43..50 => Act::Sleep(self.pause()),
            50..56 => {
                let effect = self.effect();
                Act::Wait(format!("go-{}", effect.tag), effect)
            }
            56..59 => Act::Miss(
                format!("never-{}", self.dice.below(9)),
                u64::from(self.dice.below(SLEEP)),
            ),
            59..64 => Act::Look(self.dice.below(COUNTERS), self.effect()),
            64..68 => Act::Chance(self.effect()),
            68..71 if depth > 0 => Act::Vain(self.tag()),
            71..94 if depth < DEEPEST => Act::Scope(self.acts(depth + 1), self.ending()),
            94..97 => Act::Fail(format!("it was to fail at depth {depth}")),
            _ => Act::Say(format!("{} acts are left", self.left)),
        }
    }

    fn fan(&mut self) -> Act {
        let count = 2 + self.dice.below(4);
        let effects = (0..count).map(|_| self.effect()).collect();
        let timer = self.dice.chance(40).then(|| self.pause());
        Act::Fan(effects, timer)
    }

    fn ending(&mut self) -> Ending {
        match self.dice.below(100) {
            0..55 => Ending::Commit,
            55..90 => Ending::Rollback,
            _ => Ending::Leave,
        }
    }

    fn effect(&mut self) -> Effect {
        let risk = if self.dice.chance(30) { 10 } else { 0 };
        Effect {
            tag: self.tag(),
            key: self.dice.below(COUNTERS),
            amount: 1 + self.dice.below(9),
            risk,
        }
    }

    const fn tag(&mut self) -> u32 {
        self.tag += 1;
        self.tag
    }

    fn pause(&mut self) -> u64 {
        let longest = if self.dice.chance(5) {
            LONG_SLEEP
        } else {
            SLEEP
        };
        u64::from(self.dice.below(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn the_same_number_is_the_same_program() {
        assert_eq!(program(1, 7), program(1, 7));
        assert_ne!(program(1, 7), program(1, 8));
        assert_ne!(program(1, 7), program(2, 7));
    }
}
