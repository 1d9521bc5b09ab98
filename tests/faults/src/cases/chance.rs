//! Programs, faults and schedules by chance; what fails is made smaller before it is told.

use std::{sync::Arc, time::Duration};

use skald_core::saga::{
    RunId, Verb,
    desk::{Desk as _, DeskError},
    journal::Standing,
};
use skald_saga::Sagas;
use skald_telemetry::tasks::Tasks;
use tokio::time::sleep;

use super::Options;
use crate::{
    Failure,
    dice::Dice,
    expect,
    ledger::{Fault, Plan},
    program::{Breakage, Fate, Node, Program, smaller},
    shapes::Shape,
    shelf::Trouble,
    story,
    world::{Clock, Host, SAGA, World, by},
};

/// A program and all that befalls it.
#[derive(Clone, Debug)]
struct Trial {
    program: Program,
    plan: Plan,
    deaths: Vec<u64>,
    deeds: Vec<(u64, Deed)>,
    troubles: Vec<(u64, Trouble)>,
    /// Where the times that calls and appends take come from.
    times: Option<u64>,
    is_small: bool,
}

/// Something that is done to a run from outside.
#[derive(Clone, Debug)]
enum Deed {
    Act(Verb),
    Jump(bool),
}

/// Chance, so often.
pub(super) fn chance(options: &Options) -> Result<(), Failure> {
    let trials = if options.is_quick { 1_500 } else { 60_000 };
    for number in 0..trials {
        let seed = options.seed.wrapping_mul(1_000_003).wrapping_add(number);
        let trial = Trial::new(&mut Dice::new(seed));
        options.play(
            || format!("trial {number}"),
            || {
                let Err(failure) = trial.play() else {
                    return Ok(());
                };
                let (trial, failure) = shrunk(trial, failure);
                Err(failure.note(format!("{trial:#?}")))
            },
        )?;
    }
    Ok(())
}

/// The smallest that is found to fail in the same way.
fn shrunk(trial: Trial, failure: Failure) -> (Trial, Failure) {
    smallest((trial, failure), Trial::smaller, Trial::play)
}

/// The smallest of these, and of those that are smaller, that fails in the same way.
pub(super) fn smallest<T>(
    (mut trial, mut failure): (T, Failure),
    smaller: impl Fn(&T) -> Vec<T>,
    play: impl Fn(&T) -> Result<(), Failure>,
) -> (T, Failure) {
    // A failure is told by its first word: the name of what does not hold.
    let kind = |failure: &Failure| {
        failure
            .what()
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    'smaller: loop {
        for next in smaller(&trial) {
            if let Err(found) = play(&next)
                && kind(&found) == kind(&failure)
            {
                (trial, failure) = (next, found);
                continue 'smaller;
            }
        }
        return (trial, failure);
    }
}

// === impl Trial ===

impl Trial {
    fn new(dice: &mut Dice) -> Self {
        let mut next = 0;
        let mut program = body(dice, &mut next, 0);
        if dice.one_in(4) {
            program.push(Node::Refuse);
        }
        let is_small = dice.one_in(5);
        Self {
            program,
            plan: plan(dice, next),
            deaths: some(dice, |dice| 1 + dice.below(120)),
            deeds: some(dice, |dice| (1 + dice.below(80), deed(dice))),
            troubles: some(dice, |dice| (1 + dice.below(30), trouble(dice))),
            times: dice.one_in(2).then(|| dice.bits()),
            is_small,
        }
    }

    fn shape(&self) -> Shape {
        let mut shape = Shape::new("chance", self.program.clone()).timed();
        shape.plan = self.plan.clone();
        shape.signalled("go").signalled("on")
    }

    /// All always holds, the run ends or is parked, and one that is parked can be ended.
    fn play(&self) -> Result<(), Failure> {
        let shape = self.shape();
        let mut world = World::new(&shape);
        if self.is_small {
            world.config.idle = Duration::from_millis(20);
            world.config.live = 1;
        }
        world.points.die_at(self.deaths.iter().copied());
        world
            .points
            .poke_at(self.deeds.iter().map(|(place, _)| *place));
        world.shelf.trouble(self.troubles.iter().copied());
        if let Some(seed) = self.times {
            world.shelf.dawdle(Dice::new(seed));
            world.ledger.dawdle(Dice::new(seed ^ 1));
        }
        let tasks = Tasks::new();
        let ending = story::play_with(&world, &shape, async |host: &Host| {
            self.watch(host, &world, &tasks);
            Ok(())
        })?;
        if ending.standing == Standing::Parked {
            mend(&world)?;
        }
        Ok(())
    }

    /// Does its deeds, one at each poke.
    fn watch(&self, host: &Host, world: &World, tasks: &Tasks) {
        let (points, clock) = (Arc::clone(&host.points), Arc::clone(&world.clock));
        let (sagas, deeds) = (host.sagas.clone(), self.deeds.clone());
        tasks.spawn("deeds", async move {
            for (_, deed) in deeds {
                points.poke().await;
                deed.happen(&sagas, &clock).await;
            }
        });
    }

    /// All trials that are smaller by one thing.
    fn smaller(&self) -> Vec<Self> {
        let with = |change: &dyn Fn(&mut Self)| {
            let mut trial = self.clone();
            change(&mut trial);
            trial
        };
        let mut all = Vec::new();
        for program in smaller(&self.program) {
            all.push(with(&|trial| trial.program.clone_from(&program)));
        }
        for plan in self.plan.smaller() {
            all.push(with(&|trial| trial.plan = plan.clone()));
        }
        for deaths in without_one(&self.deaths) {
            all.push(with(&|trial| trial.deaths.clone_from(&deaths)));
        }
        for deeds in without_one(&self.deeds) {
            all.push(with(&|trial| trial.deeds.clone_from(&deeds)));
        }
        for troubles in without_one(&self.troubles) {
            all.push(with(&|trial| trial.troubles.clone_from(&troubles)));
        }
        if self.times.is_some() || self.is_small {
            all.push(with(&|trial| (trial.times, trial.is_small) = (None, false)));
        }
        all
    }
}

impl Deed {
    async fn happen(self, sagas: &Sagas, clock: &Clock) {
        let run = RunId::of(&SAGA.into(), "key");
        match self {
            Self::Jump(is_back) => clock.jump(Duration::from_secs(3_600), is_back),
            Self::Act(verb) => {
                let by = by(verb.name());
                // Done or refused, the run ends all the same.
                let _ = sagas.act(&run, verb, by).await;
            }
        }
    }
}

/// Callees are mended, and a person rolls the run back.
fn mend(world: &World) -> Result<(), Failure> {
    world.ledger.replan(Plan::default());
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        let run = host.run()?;
        for verb in [Verb::Rollback, Verb::Retry] {
            // One of them is right for where it stands. The journal may still be in trouble for a while.
            while let Err(DeskError::Store(_)) = host.act(&run, verb.clone()).await {
                sleep(Duration::from_secs(1)).await;
            }
            host.quiet().await?;
        }
        host.stop().await
    })?;
    let told = |failure: Failure| failure.note(story::stories(world));
    // A host may be told to die here, too; then the next one goes on.
    match lived {
        None => return mend(world),
        Some(held) => held.map_err(told)?,
    }
    world.check()?;
    let standing = story::ending(world)?.standing;
    expect(standing.is_end(), || {
        format!("nothing ends it: it is {standing:?}")
    })
    .map_err(told)
}

pub(super) fn without_one<T: Clone>(all: &[T]) -> Vec<Vec<T>> {
    let without = |at: usize| {
        let others = all.iter().enumerate().filter(|(other, _)| *other != at);
        others.map(|(_, one)| one.clone()).collect()
    };
    (0..all.len()).map(without).collect()
}

pub(super) fn some<T>(dice: &mut Dice, one: impl Fn(&mut Dice) -> T) -> Vec<T> {
    let count = dice.below(4).saturating_sub(1);
    (0..count).map(|_| one(dice)).collect()
}

fn deed(dice: &mut Dice) -> Deed {
    match dice.below(8) {
        0 | 1 => Deed::Act(Verb::Cancel),
        2 => Deed::Act(Verb::Rollback),
        3 => Deed::Act(Verb::Retry),
        4 => Deed::Act(Verb::Skip { answer: None }),
        5 => Deed::Act(Verb::Fail),
        6 => Deed::Jump(true),
        _ => Deed::Jump(false),
    }
}

pub(super) fn trouble(dice: &mut Dice) -> Trouble {
    match dice.below(4) {
        0 => Trouble::Lost,
        1 => Trouble::Unavailable,
        2 => Trouble::Unreadable,
        _ => Trouble::Full,
    }
}

fn plan(dice: &mut Dice, steps: u32) -> Plan {
    let mut plan = Plan::default();
    for step in 1..=steps {
        if dice.one_in(12) {
            plan.refuse(step);
        }
        for is_undo in [false, true] {
            if !dice.one_in(5) {
                continue;
            }
            if dice.one_in(6) {
                plan.always(step, is_undo, fault(dice));
                continue;
            }
            let count = 1 + dice.below(5);
            let faults: Vec<Fault> = (0..count).map(|_| fault(dice)).collect();
            if is_undo {
                plan.undo(step, faults);
            } else {
                plan.forward(step, faults);
            }
        }
    }
    plan
}

fn fault(dice: &mut Dice) -> Fault {
    match dice.below(8) {
        0 => Fault::Before,
        1 => Fault::After,
        2 => Fault::Hang,
        3 => Fault::Trap,
        4 => Fault::Double,
        5 => Fault::Slow(dice.below(8_000)),
        6 => Fault::Large(2 << 20),
        _ => Fault::None,
    }
}

fn body(dice: &mut Dice, next: &mut u32, depth: u32) -> Program {
    let count = 1 + dice.below(5);
    (0..count).flat_map(|_| node(dice, next, depth)).collect()
}

fn node(dice: &mut Dice, next: &mut u32, depth: u32) -> Vec<Node> {
    let mut step = || {
        *next += 1;
        *next
    };
    match dice.below(14) {
        0 | 1 => vec![Node::Call(step())],
        2 => vec![Node::Ask(step())],
        3 => vec![Node::Start(step())],
        4 | 5 => {
            let step = step();
            vec![Node::Undo(step), Node::Call(step)]
        }
        6 => {
            let step = step();
            vec![Node::Undo(step), Node::Try(step)]
        }
        7 => {
            let calls = (0..1 + dice.below(4)).map(|_| step()).collect();
            let timer = dice.one_in(2).then(|| dice.below(10_000));
            vec![Node::Fan { calls, timer }]
        }
        8 => vec![Node::Sleep(dice.below(20_000))],
        9 => vec![wait(dice)],
        10 => vec![Node::Patch("branch".to_owned(), vec![Node::Call(step())])],
        11 => vec![breakage(dice)],
        _ if depth < 3 => {
            let fates = [Fate::Commit, Fate::Rollback, Fate::Leave];
            let end = dice.pick(fates, Fate::Leave);
            let body = body(dice, next, depth + 1);
            vec![Node::Scope { body, end }]
        }
        _ => vec![Node::Status("here".to_owned())],
    }
}

/// The same signal may be waited for twice, and is sent once.
fn wait(dice: &mut Dice) -> Node {
    let signal = dice.pick(["go", "on"], "go").to_owned();
    let timeout = Some(dice.below(60_000));
    Node::Wait { signal, timeout }
}

fn breakage(dice: &mut Dice) -> Node {
    let how = [Breakage::Trap, Breakage::Spin, Breakage::Memory];
    let how = dice.pick(how, Breakage::Trap);
    let times = 1 + u32::from(dice.one_in(2)) + u32::from(dice.one_in(3));
    let is_endless = dice.one_in(10);
    Node::Break(how, if is_endless { 0 } else { times })
}
