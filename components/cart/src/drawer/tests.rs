//! Orders that are heard of after their claims went back, over a store in memory.

use super::*;

const USER: &str = "usr_1";

fn put(drawer: &Drawer, sku: &str, quantity: u32) {
    drawer.change(USER, |cart| cart.put(sku, quantity)).unwrap();
}

/// The lines by SKU.
fn shown(drawer: &Drawer) -> Vec<(String, u32)> {
    let cart = drawer.cart(USER);
    let mut lines: Vec<_> = cart
        .lines()
        .iter()
        .map(|line| (line.sku.clone(), line.quantity))
        .collect();
    lines.sort();
    lines
}

fn line(sku: &str, quantity: u32) -> (String, u32) {
    (sku.to_owned(), quantity)
}

/// A drawer where `ord_1` claimed two horns long ago, and the claim went back when a lyre was put in.
fn after_expiry() -> Drawer {
    let drawer = Drawer::open();
    let mut cart = Cart::default();
    cart.put("horn", 2).unwrap();
    cart.take("k1", "ord_1", None, 0).unwrap();
    drawer.0.set(&cart_key(USER), &cart);
    put(&drawer, "lyre", 1);
    assert_eq!(shown(&drawer), [line("horn", 2), line("lyre", 1)]);
    drawer
}

#[test]
fn an_order_heard_of_late_takes_what_is_still_there_out_of_the_cart() {
    let drawer = after_expiry();
    drawer.hear_of(USER, "ord_1");
    assert_eq!(shown(&drawer), [line("lyre", 1)]);
    put(&drawer, "horn", 5);
    drawer.hear_of(USER, "ord_1");
    assert_eq!(
        shown(&drawer),
        [line("horn", 5), line("lyre", 1)],
        "hearing of it twice takes nothing more"
    );
    drawer.consume(USER, "ord_1").unwrap();
    drawer.consume(USER, "ord_1").unwrap();
    assert_eq!(shown(&drawer), [line("horn", 5), line("lyre", 1)]);
}

#[test]
fn an_order_heard_of_late_that_falls_through_gives_back_what_it_got() {
    let drawer = after_expiry();
    put(&drawer, "horn", 1);
    drawer.hear_of(USER, "ord_1");
    assert_eq!(shown(&drawer), [line("lyre", 1)]);
    drawer.give_back(USER, "ord_1");
    drawer.give_back(USER, "ord_1");
    assert_eq!(shown(&drawer), [line("horn", 1), line("lyre", 1)]);
}

#[test]
fn an_order_that_is_consumed_late_leaves_nothing_in_the_cart() {
    let drawer = after_expiry();
    drawer.consume(USER, "ord_1").unwrap();
    drawer.consume(USER, "ord_1").unwrap();
    drawer.hear_of(USER, "ord_1");
    assert_eq!(shown(&drawer), [line("lyre", 1)]);
}

#[test]
fn an_order_that_fell_through_before_it_is_heard_of_takes_nothing() {
    let drawer = after_expiry();
    drawer.give_back(USER, "ord_1");
    drawer.hear_of(USER, "ord_1");
    assert_eq!(shown(&drawer), [line("horn", 2), line("lyre", 1)]);
}

#[test]
fn what_another_order_has_taken_stays_with_it() {
    let drawer = after_expiry();
    drawer.claim(USER, "k2", "ord_2").unwrap();
    drawer.hear_of(USER, "ord_1");
    drawer.consume(USER, "ord_1").unwrap();
    drawer.give_back(USER, "ord_2");
    assert_eq!(shown(&drawer), [line("horn", 2), line("lyre", 1)]);
}

#[test]
fn an_order_whose_lines_were_given_back_cannot_consume_them() {
    let drawer = Drawer::open();
    put(&drawer, "horn", 1);
    drawer.claim(USER, "k1", "ord_1").unwrap();
    drawer.give_back(USER, "ord_1");
    assert_eq!(
        drawer.consume(USER, "ord_1"),
        Err(Refusal::GivenBack("ord_1".to_owned()))
    );
    assert_eq!(shown(&drawer), [line("horn", 1)]);
}
