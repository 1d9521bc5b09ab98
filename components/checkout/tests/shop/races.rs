//! A checkout, a customer who wishes to cancel, the saga that looks into it, and somebody who cancels the checkout's run:
//! every order in which their steps can happen.
//!
//! Every step is made by playing the plans again from the beginning, so each of these runs is also cut off between any two
//! steps.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Debug,
};

use sdk::saga::rehearsal::{Played, Run};

use crate::{
    rehearsed::{Shop, order, placed},
    services::{
        cancel_order::domain as cancelling,
        checkout::{domain as checkout, order::Order},
        orders::domain::{Command, Status},
        world::{LEAVES_AFTER, World},
    },
};

/// Who may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Actor {
    Checkout,
    Customer,
    Cancellation,
    /// Cancels the checkout's run.
    Operator,
    /// Takes the parcel along. No checkout takes as long as a parcel waits, so it comes after the order's end.
    Courier,
}

const ALL: [Actor; 5] = [
    Actor::Checkout,
    Actor::Customer,
    Actor::Cancellation,
    Actor::Operator,
    Actor::Courier,
];

/// Everything, between two steps.
#[derive(Clone)]
struct Moment {
    world: World,
    checkout: Run,
    cancellation: Run,
    /// Who has nothing more to do.
    done: Vec<Actor>,
    /// Whether the wish was taken.
    wished: bool,
}

impl Moment {
    fn new(order: &Order, absent: &[Actor]) -> Self {
        Self {
            world: placed(order),
            checkout: Run::default(),
            cancellation: Run::default(),
            done: absent.to_vec(),
            wished: false,
        }
    }

    /// Everything after one step of this actor; none if there is nothing for it to do.
    fn after(&self, actor: Actor, order: &Order) -> Option<Self> {
        let mut next = self.clone();
        let ends = match actor {
            actor if self.done.contains(&actor) => return None,
            Actor::Checkout => next.with_shop(|shop, next| {
                let plan = || checkout::run(shop, order);
                ended(&next.checkout.play(1, plan))
            }),
            Actor::Cancellation if !self.wished => return None,
            Actor::Cancellation => next.with_shop(|shop, next| {
                let plan = || cancelling::run(shop, "ord_1");
                ended(&next.cancellation.play(1, plan))
            }),
            Actor::Customer => {
                next.wished = next.world.ask(&Command::RequestCancellation).is_ok();
                true
            }
            Actor::Operator if self.done.contains(&Actor::Checkout) => return None,
            Actor::Operator => {
                next.checkout.cancel();
                true
            }
            Actor::Courier if self.world.state().status != Status::Confirmed => return None,
            Actor::Courier => {
                next.world.now += LEAVES_AFTER;
                true
            }
        };
        if ends {
            next.done.push(actor);
        }
        Some(next)
    }

    fn with_shop(&mut self, act: impl FnOnce(&Shop, &mut Self) -> bool) -> bool {
        let shop = Shop::of(self.world.clone());
        let ends = act(&shop, self);
        self.world = shop.world();
        ends
    }

    /// What tells this moment from others. Who did something first does not matter.
    fn key(&self) -> String {
        let mut done: Vec<String> = self.done.iter().map(|actor| format!("{actor:?}")).collect();
        done.sort_unstable();
        let (checkout, cancellation) = (self.checkout.words(), self.cancellation.words());
        format!("{:?}\n{checkout}\n{cancellation}\n{done:?}", self.world)
    }
}

/// Whether a run has ended. One that stops otherwise than between two steps must not.
fn ended<T: Debug, E: Debug>(played: &Played<Result<T, E>>) -> bool {
    match played {
        Played::Paused(_) => false,
        Played::Ended(Ok(_)) | Played::RolledBack => true,
        Played::Ended(Err(_)) | Played::Waits(_) | Played::Parked(_) => {
            panic!("a run must not end like this: {played:?}")
        }
    }
}

/// Goes through every moment there can be, and lists the ends.
fn explore(order: &Order, absent: &[Actor]) -> String {
    let mut ends = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut open = vec![Moment::new(order, absent)];
    while let Some(moment) = open.pop() {
        if !seen.insert(moment.key()) {
            continue;
        }
        let next: Vec<Moment> = ALL
            .iter()
            .filter_map(|actor| moment.after(*actor, order))
            .collect();
        if next.is_empty() {
            moment.world.check_ended().unwrap();
            ends.insert(moment.world.history());
        }
        open.extend(next);
    }
    let ends: Vec<String> = ends.into_iter().collect();
    format!("{}\nin {} moments", ends.join("\n"), seen.len())
}

#[test]
fn an_order_that_is_cancelled_while_it_is_checked_out_is_cancelled_whole() {
    let ends = explore(&order("tok_ok", "NO"), &[Actor::Operator, Actor::Courier]);
    insta::assert_snapshot!(ends, @r"
    placed cancellation-requested cancelled
    placed cancellation-requested confirmed cancelled
    placed confirmed cancellation-requested cancelled
    in 51 moments
    ");
}

#[test]
fn an_order_that_may_leave_before_it_is_cancelled_is_cancelled_whole_or_stays_whole() {
    let ends = explore(&order("tok_ok", "NO"), &[Actor::Operator]);
    insta::assert_snapshot!(ends, @r"
    placed cancellation-requested cancelled
    placed cancellation-requested confirmed cancellation-refused
    placed cancellation-requested confirmed cancelled
    placed confirmed cancellation-requested cancellation-refused
    placed confirmed cancellation-requested cancelled
    in 72 moments
    ");
}

#[test]
fn an_order_that_cannot_be_is_rejected_or_cancelled() {
    for order in [order("tok_declined", "NO"), order("tok_flaky", "XX")] {
        let ends = explore(&order, &[Actor::Courier]);
        insta::allow_duplicates! {
            let (ends, _moments) = ends.rsplit_once('\n').unwrap();
            insta::assert_snapshot!(ends, @r"
            placed cancellation-requested cancelled
            placed cancellation-requested rejected
            placed rejected
            ");
        }
    }
}

#[test]
fn somebody_who_cancels_the_checkouts_run_makes_no_difference_to_the_books() {
    let ends = explore(&order("tok_ok", "NO"), &[]);
    insta::assert_snapshot!(ends, @r"
    placed cancellation-requested cancelled
    placed cancellation-requested confirmed cancellation-refused
    placed cancellation-requested confirmed cancelled
    placed cancellation-requested rejected
    placed confirmed cancellation-requested cancellation-refused
    placed confirmed cancellation-requested cancelled
    placed rejected
    in 312 moments
    ");
}
