//! One checkout, refused or cancelled at every step.

use sdk::saga::rehearsal::{Played, Run};

use crate::{
    rehearsed::{Shop, order, placed},
    services::{
        checkout::{domain, order::Order},
        orders::domain::Command,
        world::World,
    },
};

const STEPS: [&str; 8] = [
    "reserve",
    "screen",
    "authorise",
    "book",
    "capture",
    "sell",
    "consume",
    "confirm",
];

/// Every reason of the services' own, and every step refused whatever they say.
fn cases() -> Vec<(Order, Option<&'static str>, u32)> {
    let fine = || order("tok_ok", "NO");
    let mut cases = vec![
        (fine(), None, 0),
        (fine(), None, 9),
        (order("tok_flaky", "NO"), None, 0),
        (order("tok_declined", "NO"), None, 0),
        (order("tok_nobody", "NO"), None, 0),
        (order("tok_ok", "XX"), None, 0),
        (order("tok_flaky", "XX"), None, 0),
    ];
    cases.extend(STEPS.map(|step| (fine(), Some(step), 0)));
    cases
}

fn shop(order: &Order, refuse: Option<&'static str>, others: u32) -> Shop {
    Shop::refusing(World::new(order, 0, others), refuse)
}

#[test]
fn whatever_is_refused_the_books_agree() {
    let mut lines = Vec::new();
    for (order, refuse, others) in cases() {
        let (shop, mut run) = (shop(&order, refuse, others), Run::default());
        let played = run.finish(|| domain::run(&shop, &order));
        assert!(matches!(played, Played::Ended(Ok(_))), "{played:?}");
        let world = shop.world();
        world.check_ended().unwrap();
        let reason = world.state().reason.unwrap_or_default();
        let (money, _) = world.balances();
        lines.push(format!("{} {money:?} {reason}", world.history()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    placed confirmed [1000, 1000, 0, 0] 
    placed rejected [0, 0, 0, 0] There is only one piece of Green tea left.
    placed confirmed [1000, 1000, 0, 0] 
    placed rejected [0, 0, 0, 0] The payment was not possible: the card was declined by its bank.
    placed rejected [0, 0, 0, 0] The payment was not possible: the token is unknown.
    placed rejected [1000, 0, 1000, 0] Nobody carries to XX.
    placed rejected [1000, 0, 1000, 0] Nobody carries to XX.
    placed rejected [0, 0, 0, 0] The order could not be completed.
    placed rejected [0, 0, 0, 0] The order could not be completed.
    placed rejected [0, 0, 0, 0] The order could not be completed.
    placed rejected [1000, 0, 1000, 0] The order could not be completed.
    placed rejected [1000, 0, 1000, 0] The order could not be completed.
    placed rejected [1000, 1000, 0, 1000] The order could not be completed.
    placed rejected [1000, 1000, 0, 1000] The order could not be completed.
    placed rejected [1000, 1000, 0, 1000] The order could not be completed.
    ");
}

#[test]
fn wherever_a_run_is_cancelled_the_books_agree() {
    cancelled_everywhere(Run::cancel);
}

#[test]
fn wherever_an_answer_is_lost_and_the_run_is_cancelled_the_books_agree() {
    cancelled_everywhere(Run::cancel_midway);
}

fn cancelled_everywhere(cancel: fn(&mut Run)) {
    for (order, refuse, others) in cases() {
        for steps in 0.. {
            let (shop, mut run) = (shop(&order, refuse, others), Run::default());
            let played = run.play(steps, || domain::run(&shop, &order));
            if !matches!(played, Played::Paused(_)) {
                break;
            }
            cancel(&mut run);
            let ended = run.finish(|| domain::run(&shop, &order));
            assert!(
                matches!(ended, Played::RolledBack | Played::Ended(Ok(_))),
                "{ended:?} after {}",
                run.trace()
            );
            shop.world().check_ended().unwrap();
        }
    }
}

#[test]
fn an_order_that_was_cancelled_before_the_checkout_began_leaves_nothing_but_its_lines_in_the_cart()
{
    let order = order("tok_ok", "NO");
    let mut world = placed(&order);
    world.ask(&Command::RequestCancellation).unwrap();
    world.ask(&Command::BeginCancellation).unwrap();
    let (shop, mut run) = (Shop::of(world), Run::default());
    run.finish(|| domain::run(&shop, &order));
    let world = shop.world();
    world.check_ended().unwrap();
    assert_eq!(world.cart.lines().len(), 1);
    assert_eq!((world.account, world.shipment), (Default::default(), None));
}
