//! Orders that stand: returned, kept, or cancelled with the saga cancelled under its hands.

use sdk::saga::rehearsal::{Played, Run};

use crate::{
    rehearsed::{Shop, order, placed},
    services::{
        cancel_order::domain as cancelling, checkout::domain as checkout, orders::domain::Command,
        return_order::domain as returning,
    },
};

/// A shop with an order that is confirmed, and a wish about it.
fn confirmed(wish: &Command) -> Shop {
    let order = order("tok_ok", "NO");
    let shop = Shop::of(placed(&order));
    Run::default().finish(|| checkout::run(&shop, &order));
    let mut world = shop.world();
    world.ask(wish).unwrap();
    Shop::of(world)
}

fn send_back(shop: &Shop, run: &mut Run) -> Played<Result<returning::Outcome, returning::Refusal>> {
    run.finish(|| returning::run(shop, "ord_1", "too small"))
}

#[test]
fn a_return_that_is_approved_gives_goods_and_money_back_and_others_change_nothing() {
    let wish = Command::RequestReturn("too small".to_owned());
    let mut lines = Vec::new();
    for signal in [
        Some(r#"{"approved":true}"#),
        Some(r#"{"approved":false,"note":"Worn."}"#),
        None,
    ] {
        let (shop, mut run) = (confirmed(&wish), Run::default());
        assert!(matches!(send_back(&shop, &mut run), Played::Waits(_)));
        match signal {
            Some(payload) => run.send(payload.as_bytes()),
            None => run.time_out(),
        }
        assert!(matches!(send_back(&shop, &mut run), Played::Ended(Ok(_))));
        shop.world().check_ended().unwrap();
        lines.push(shop.world().history());
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    placed confirmed return-requested returned
    placed confirmed return-requested return-refused
    placed confirmed return-requested return-refused
    ");
}

#[test]
fn a_return_that_is_cancelled_before_somebody_agrees_is_refused() {
    let wish = Command::RequestReturn("too small".to_owned());
    let (shop, mut run) = (confirmed(&wish), Run::default());
    send_back(&shop, &mut run);
    run.cancel();
    assert_eq!(send_back(&shop, &mut run), Played::RolledBack);
    shop.world().check_ended().unwrap();
}

#[test]
fn a_cancellation_that_is_cancelled_before_it_is_known_that_the_carrier_is_called_off_leaves_the_order_whole()
 {
    for cancel in [Run::cancel, Run::cancel_midway] {
        for steps in 0..2 {
            let (shop, mut run) = (confirmed(&Command::RequestCancellation), Run::default());
            run.play(steps, || cancelling::run(&shop, "ord_1"));
            cancel(&mut run);
            let ended = run.finish(|| cancelling::run(&shop, "ord_1"));
            assert_eq!(ended, Played::RolledBack);
            shop.world().check_ended().unwrap();
            assert_eq!(
                shop.world().history(),
                "placed confirmed cancellation-requested cancellation-refused"
            );
        }
    }
}
