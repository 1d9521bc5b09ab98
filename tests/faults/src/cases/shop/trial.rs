//! An order, all that befalls it, and what its customer and the shop's people do meanwhile.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;
use skald_core::saga::{RunId, Verb, desk::Desk as _, journal::Standing};
use skald_saga::Sagas;
use skald_telemetry::tasks::Tasks;

use crate::{
    Failure,
    cases::chance::without_one,
    dice::Dice,
    expect, invariants,
    ledger::Plan,
    points::Points,
    program::Node,
    services::{orders::domain::Command as Ask, world::LEAVES_AFTER},
    shapes::Shape,
    shelf::{Shelf, Trouble},
    shop::{Counter, Part, Placed, Setting},
    story,
    world::{Clock, Host, SAGA, World, by},
};

pub(super) const CANCEL: &str = "cancel-order";
pub(super) const RETURN: &str = "return-order";

/// How many hosts may live in one trial.
const MOST_LIVES: u32 = 16;

/// An order and all that befalls it.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) order: Placed,
    pub(super) others: u32,
    pub(super) plan: Plan,
    pub(super) deaths: Vec<u64>,
    /// What is done at which place.
    pub(super) deeds: Vec<(u64, Deed)>,
    pub(super) troubles: Vec<(u64, Trouble)>,
    /// Where the times that calls and appends take come from.
    pub(super) times: Option<u64>,
    pub(super) is_small: bool,
}

/// Something that is done from outside.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// The customer wishes to cancel the order.
    Cancel,
    /// The customer wishes to send it back, and the shop agrees or not.
    SendBack(bool),
    /// The parcel leaves, if the order is checked out by then.
    Leave,
    /// Somebody does something to the run of a component.
    Act(&'static str, Verb),
}

/// What is still to be done, and what is on its way to a saga: that is sent until it has arrived.
#[derive(Clone)]
struct Outside {
    deeds: Arc<Mutex<VecDeque<Deed>>>,
    letters: Arc<Mutex<Vec<Letter>>>,
}

/// What deeds are done to.
struct Scene {
    shop: Arc<Counter>,
    points: Arc<Points>,
    shelf: Arc<Shelf>,
    sagas: Sagas,
    clock: Arc<Clock>,
}

/// Begins a saga.
#[derive(Clone, PartialEq)]
struct Letter {
    component: &'static str,
    key: &'static str,
    signal: Option<&'static str>,
}

// === impl Trial ===

impl Trial {
    /// An order that nothing befalls.
    pub(super) fn new(order: Placed) -> Self {
        Self {
            order,
            others: 0,
            plan: Plan::default(),
            deaths: Vec::new(),
            deeds: Vec::new(),
            troubles: Vec::new(),
            times: None,
            is_small: false,
        }
    }

    fn shape(&self) -> Shape {
        let mut shape = shape(Part::Checkout(self.order.clone()));
        shape.shop = Some(Setting::new(self.order.clone()).beside(self.others));
        shape.plan = self.plan.clone();
        shape
    }

    /// The shop's books agree at every moment, all runs end or are parked, and once those are mended and done the order has
    /// happened as a whole, or not at all.
    pub(super) fn play(&self) -> Result<(), Failure> {
        let mut world = World::new(&self.shape());
        world.learn(CANCEL, &shape(Part::Cancellation));
        world.learn(RETURN, &shape(Part::Return));
        if self.is_small {
            world.config.idle = Duration::from_millis(20);
            world.config.live = 1;
        }
        world.points.die_at(self.deaths.iter().copied());
        let pokes = self.deeds.iter().map(|(place, _)| *place);
        world.points.poke_at(pokes);
        world.shelf.trouble(self.troubles.iter().copied());
        if let Some(seed) = self.times {
            world.shelf.dawdle(Dice::new(seed));
            world.ledger.dawdle(Dice::new(seed ^ 1));
        }
        self.lives(&world)
    }

    fn lives(&self, world: &World) -> Result<(), Failure> {
        let deeds = self.deeds.iter().map(|(_, deed)| deed.clone()).collect();
        let outside = Outside {
            deeds: Arc::new(Mutex::new(deeds)),
            letters: Arc::default(),
        };
        outside.write(SAGA, "key", None);
        for _ in 0..MOST_LIVES {
            if outside.life(world)? && !self.goes_on(world, &outside)? {
                return world.check();
            }
        }
        Err(Failure::new(
            "I10 liveness: hosts die, or runs are parked, for ever",
        ))
    }

    /// Whatever was wrong with the services is mended, and people try again what waits for them and begin again what
    /// they cut short. Whether there was any such thing.
    fn goes_on(&self, world: &World, outside: &Outside) -> Result<bool, Failure> {
        // Somebody wished for something while the host stopped.
        if !outside.letters.lock().is_empty() {
            return Ok(true);
        }
        world.check()?;
        world.ledger.replan(Plan::default());
        let all = world.shelf.summaries();
        let is_parked = all.iter().any(|one| one.standing == Standing::Parked);
        if is_parked {
            return Ok(true);
        }
        let cut_short = invariants::shop::cut_short(world)?.unwrap_or_default();
        if cut_short.is_empty() || !invariants::shop::is_to_begin_again(world)? {
            return Ok(false);
        }
        for component in [SAGA, CANCEL, RETURN] {
            if cut_short.iter().any(|name| name == component) {
                let yes = r#"decision={"approved":true}"#;
                let signal = (component == RETURN).then_some(yes);
                outside.write(component, "again", signal);
            }
        }
        expect(!outside.letters.lock().is_empty(), || {
            "shop: an order is half done, and nothing was cut short".to_owned()
        })?;
        Ok(true)
    }

    /// All trials that are smaller by one thing.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let with = |change: &dyn Fn(&mut Self)| {
            let mut trial = self.clone();
            change(&mut trial);
            trial
        };
        let mut all = Vec::new();
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

fn shape(part: Part) -> Shape {
    let node = Node::Shop { part, breaks: None };
    Shape::new("trial", [node])
}

// === impl Outside ===

impl Outside {
    fn write(&self, component: &'static str, key: &'static str, signal: Option<&'static str>) {
        self.letters.lock().push(Letter {
            component,
            key,
            signal,
        });
    }

    /// Whether the host lived until there was nothing left to do.
    fn life(&self, world: &World) -> Result<bool, Failure> {
        let tasks = Tasks::new();
        let lived = world.live(async |host: &Host| {
            host.recover().await?;
            self.watch(host, world, &tasks);
            self.repair(host).await?;
            self.deliver(host).await?;
            host.quiet().await?;
            // Somebody may have wished for something meanwhile.
            while !self.letters.lock().is_empty() {
                self.deliver(host).await?;
                host.quiet().await?;
            }
            host.stop().await
        })?;
        let told = |failure: Failure| failure.note(story::stories(world));
        lived.map_or(Ok(false), |held| held.map(|()| true).map_err(told))
    }

    /// Does the deeds, one at each poke.
    fn watch(&self, host: &Host, world: &World, tasks: &Tasks) {
        let Some(shop) = world.ledger.shop() else {
            return;
        };
        let scene = Scene {
            shop,
            points: Arc::clone(&host.points),
            shelf: Arc::clone(&host.shelf),
            sagas: host.sagas.clone(),
            clock: Arc::clone(&world.clock),
        };
        let outside = self.clone();
        tasks.spawn("deeds", async move {
            loop {
                scene.points.poke().await;
                let next = outside.deeds.lock().pop_front();
                match next {
                    Some(deed) => outside.act(&scene, deed).await,
                    None => return,
                }
            }
        });
    }

    async fn act(&self, scene: &Scene, deed: Deed) {
        match deed {
            Deed::Cancel if scene.shop.ask(&Ask::RequestCancellation) => {
                self.write(CANCEL, "key", None);
            }
            Deed::SendBack(is_right) if scene.shop.ask(&wish_to_return()) => {
                self.write(RETURN, "key", Some(decision(is_right)));
            }
            // It is denied.
            Deed::Cancel | Deed::SendBack(_) => {}
            Deed::Leave => {
                let run = RunId::of(&SAGA.into(), "key");
                let mut all = scene.shelf.summaries().into_iter();
                if all.any(|one| one.run == run && one.standing.is_end()) {
                    let later = Duration::from_millis(LEAVES_AFTER);
                    scene.clock.jump(later, false);
                }
            }
            Deed::Act(component, verb) => {
                let run = RunId::of(&component.into(), "key");
                let by = by(verb.name());
                // Done or refused, the run ends all the same.
                let _ = scene.sagas.act(&run, verb, by).await;
            }
        }
    }

    /// What waits for a person is tried again.
    async fn repair(&self, host: &Host) -> Result<(), Failure> {
        for one in host.shelf.summaries() {
            if one.standing == Standing::Parked {
                // The journal may still be in trouble; then the next life tries.
                let _ = host.act(&one.run, Verb::Retry).await;
            }
        }
        Ok(())
    }

    async fn deliver(&self, host: &Host) -> Result<(), Failure> {
        let letters = self.letters.lock().clone();
        for letter in letters {
            let run = story::start(host, letter.component, letter.key).await?;
            if let Some(signal) = letter.signal {
                story::signal(host, &run, signal).await?;
            }
            self.letters.lock().retain(|other| *other != letter);
        }
        Ok(())
    }
}

fn wish_to_return() -> Ask {
    Ask::RequestReturn("too small".to_owned())
}

const fn decision(is_right: bool) -> &'static str {
    if is_right {
        r#"decision={"approved":true}"#
    } else {
        r#"decision={"approved":false}"#
    }
}
