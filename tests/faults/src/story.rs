//! A shape from its start to its end, through all deaths, and how it came out.

use std::{collections::BTreeSet, time::Duration};

use skald_core::saga::{End, RunId, desk::DeskError, journal::Standing};
use tokio::time::sleep;

use crate::{
    Failure, expect, invariants,
    shapes::Shape,
    world::{Host, SAGA, World},
};

/// How many hosts may die in one story.
const MOST_LIVES: u32 = 12;

/// How often a client asks again.
const MOST_TRIES: u32 = 60;

/// How a run came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// Where it stands.
    pub standing: Standing,
    /// How it ended.
    pub end: Option<End>,
    /// What its code saw, without times.
    pub seen: Vec<String>,
    /// What was done, and what undone.
    pub effects: BTreeSet<(u32, bool)>,
}

/// Plays a shape to its end, and checks all that always holds.
pub fn play(world: &World, shape: &Shape) -> Result<Ending, Failure> {
    play_with(world, shape, async |_| Ok(()))
}

/// The same, while something happens beside it in each life.
#[expect(
    clippy::needless_pass_by_value,
    reason = "closures are written where they are given"
)]
pub fn play_with(
    world: &World,
    shape: &Shape,
    beside: impl AsyncFn(&Host) -> Result<(), Failure>,
) -> Result<Ending, Failure> {
    for _ in 0..MOST_LIVES {
        let lived = world.live(async |host: &Host| {
            host.recover().await?;
            let (told, besides) = tokio::join!(send(host, shape), beside(host));
            told.and(besides)?;
            host.quiet().await?;
            host.stop().await
        })?;
        match lived {
            None => {}
            Some(Ok(())) => {
                world.check()?;
                return ending(world);
            }
            Some(Err(failure)) => return Err(failure.note(stories(world))),
        }
    }
    Err(Failure::new("hosts die for ever"))
}

/// A saga of the shop that somebody cut short is begun again where it left an order half done; then it has to be whole.
pub fn begin_again(world: &World, shape: &Shape) -> Result<(), Failure> {
    if !invariants::shop::is_to_begin_again(world)? {
        return Ok(());
    }
    let lived = world.live(async |host: &Host| {
        host.recover().await?;
        let run = start(host, SAGA, "again").await?;
        for name in &shape.signals {
            signal(host, &run, name).await?;
        }
        host.quiet().await?;
        host.stop().await
    })?;
    let told = |failure: Failure| failure.note(stories(world));
    lived.unwrap_or(Ok(())).map_err(told)?;
    expect(!invariants::shop::is_to_begin_again(world)?, || {
        "shop: a saga that was begun again has not ended well".to_owned()
    })
    .map_err(told)?;
    world.check()
}

/// The stories of all runs, for a failure.
pub fn stories(world: &World) -> String {
    let tell = |one: skald_core::saga::journal::Summary| {
        let told = invariants::tell(world, &one.run, one.standing, one.note);
        told.map_or_else(
            |failure| failure.to_string(),
            |told| invariants::timeline(&told),
        )
    };
    let all: Vec<String> = world
        .shelf
        .summaries()
        .into_iter()
        .take(3)
        .map(tell)
        .collect();
    all.join("\n")
}

/// A client that sends everything until it hears that it is durable.
pub async fn send(host: &Host, shape: &Shape) -> Result<RunId, Failure> {
    let run = start(host, SAGA, "key").await?;
    for name in &shape.signals {
        signal(host, &run, name).await?;
    }
    Ok(run)
}

/// Starts until it is told that the run has begun.
pub async fn start(host: &Host, component: &str, key: &str) -> Result<RunId, Failure> {
    let mut last = String::new();
    for _ in 0..MOST_TRIES {
        match host.start(component, key).await {
            Ok(run) => return Ok(run),
            Err(error) => last = error.to_string(),
        }
        sleep(Duration::from_millis(500)).await;
    }
    Err(Failure::new(format!("a start is never taken: {last}")))
}

/// Sends a signal until it is taken, or the run has ended.
pub async fn signal(host: &Host, run: &RunId, name: &str) -> Result<(), Failure> {
    let mut last = String::new();
    for _ in 0..MOST_TRIES {
        match host.signal(run, name).await {
            Ok(()) | Err(DeskError::Refused(_)) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
        sleep(Duration::from_millis(500)).await;
    }
    Err(Failure::new(format!("a signal is never taken: {last}")))
}

/// How the one run of a world came out.
pub fn ending(world: &World) -> Result<Ending, Failure> {
    let all = world.shelf.summaries();
    let Some(one) = all.into_iter().next() else {
        return Err(Failure::new("there is no run"));
    };
    let told = invariants::tell(world, &one.run, one.standing, one.note)?;
    let longest = told.plays.iter().max_by_key(|play| play.len());
    let is_time = |line: &&String| line.starts_with("at ");
    let seen = longest.into_iter().flatten().filter(|line| !is_time(line));
    let end = told.state.end().cloned().map(without_times);
    Ok(Ending {
        standing: told.standing,
        end,
        seen: seen.cloned().collect(),
        effects: told
            .effects
            .iter()
            .map(|effect| (effect.step, effect.is_undo))
            .collect(),
    })
}

/// The answer of a run tells the times that its code saw, which differ between worlds.
fn without_times(end: End) -> End {
    match end {
        End::Completed { .. } => End::Completed { answer: None },
        other @ (End::RolledBack { .. } | End::Failed { .. }) => other,
    }
}

/// Whether it came out as it does where nothing goes wrong.
pub fn same(shape: &Shape, ending: &Ending, undisturbed: &Ending) -> Result<(), Failure> {
    if shape.is_steady {
        return expect(ending == undisturbed, || {
            format!("it came out as {ending:?}\nand not as  {undisturbed:?}")
        });
    }
    expect(ending.standing == undisturbed.standing, || {
        format!(
            "it is {:?} and not {:?}",
            ending.standing, undisturbed.standing
        )
    })
}

/// A shape where nothing goes wrong but what it says itself.
pub fn undisturbed(shape: &Shape) -> Result<(Ending, World), Failure> {
    let world = World::new(shape);
    let ending = play(&world, shape).map_err(|failure| failure.note(&shape.name))?;
    Ok((ending, world))
}
