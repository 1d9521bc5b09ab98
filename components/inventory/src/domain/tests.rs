//! Sentences about the stockroom, and one property that must hold whatever is asked of it.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, any, prop, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::*;

const NOW: u64 = 1_000_000;

fn line(sku: &str, quantity: u32) -> Line {
    Line {
        sku: sku.to_owned(),
        quantity,
    }
}

/// A whole stockroom: what the store would hold.
#[derive(Clone, Debug, Default, PartialEq)]
struct Room {
    shelves: BTreeMap<String, Shelf>,
    orders: BTreeMap<String, Allocation>,
}

impl Room {
    fn with(stock: &[(&str, u32)]) -> Self {
        let mut room = Self::default();
        for (sku, pieces) in stock {
            room.shelves
                .insert((*sku).to_owned(), Shelf::opened(None, *pieces).unwrap());
        }
        room
    }

    fn at_desk<T>(&mut self, order: &str, command: impl FnOnce(&mut Desk) -> T) -> T {
        let mut desk = Desk {
            allocation: self.orders.get(order).cloned(),
            shelves: self.shelves.clone(),
        };
        let answer = command(&mut desk);
        self.shelves = desk.shelves;
        if let Some(allocation) = desk.allocation {
            self.orders.insert(order.to_owned(), allocation);
        }
        answer
    }

    fn reserve(&mut self, order: &str, lines: &[Line], now: u64) -> Result<(), Refusal> {
        self.at_desk(order, |desk| desk.reserve(order, lines, now))
    }

    fn sell(&mut self, order: &str, now: u64) -> Result<(), Refusal> {
        self.at_desk(order, |desk| desk.sell(order, now))
    }

    fn release(&mut self, order: &str, now: u64) {
        self.at_desk(order, |desk| desk.release(order, now));
    }

    /// available, reserved, sold.
    fn counts(&self, sku: &str, now: u64) -> (u32, u32, u32) {
        let stock = self.shelves[sku].stock(sku, now);
        (stock.available, stock.reserved, stock.sold)
    }
}

#[test]
fn pieces_go_from_available_to_reserved_to_sold_and_back() {
    let mut room = Room::with(&[("tea", 10)]);
    room.reserve("o1", &[line("tea", 3)], NOW).unwrap();
    assert_eq!(room.counts("tea", NOW), (7, 3, 0));
    room.sell("o1", NOW).unwrap();
    assert_eq!(room.counts("tea", NOW), (7, 0, 3));
    room.release("o1", NOW);
    assert_eq!(room.counts("tea", NOW), (10, 0, 0));
}

#[test]
fn a_reservation_takes_all_lines_or_none() {
    let mut room = Room::with(&[("mug", 1), ("tea", 10)]);
    let before = room.clone();
    let refusal = room
        .reserve("o1", &[line("tea", 3), line("mug", 2)], NOW)
        .unwrap_err();
    assert_eq!(
        refusal,
        Refusal::OutOfStock {
            sku: "mug".to_owned(),
            wanted: 2,
            available: 1
        }
    );
    assert_eq!(room, before);
}

#[test]
fn an_unknown_product_is_refused_by_name() {
    let mut room = Room::with(&[("tea", 10)]);
    let refusal = room.reserve("o1", &[line("gold", 1)], NOW).unwrap_err();
    assert_eq!(refusal, Refusal::UnknownSku("gold".to_owned()));
}

#[test]
fn a_second_reservation_of_the_same_lines_changes_nothing() {
    let mut room = Room::with(&[("tea", 10)]);
    room.reserve("o1", &[line("tea", 3)], NOW).unwrap();
    let once = room.clone();
    room.reserve("o1", &[line("tea", 1), line("tea", 2)], NOW + 5)
        .unwrap();
    assert_eq!(room, once);
}

#[test]
fn a_second_reservation_of_other_lines_is_refused() {
    let mut room = Room::with(&[("tea", 10)]);
    room.reserve("o1", &[line("tea", 3)], NOW).unwrap();
    insta::assert_snapshot!(
        room.reserve("o1", &[line("tea", 4)], NOW).unwrap_err(),
        @"order o1 holds other lines already"
    );
}

#[test]
fn lines_of_one_product_are_added_up_before_they_are_compared_with_the_stock() {
    let mut room = Room::with(&[("tea", 10)]);
    let refusal = room
        .reserve("o1", &[line("tea", 6), line("tea", 6)], NOW)
        .unwrap_err();
    assert_eq!(
        refusal,
        Refusal::OutOfStock {
            sku: "tea".to_owned(),
            wanted: 12,
            available: 10
        }
    );
}

#[test]
fn nothing_zero_and_too_many_make_no_sense() {
    let mut room = Room::with(&[("tea", 10_000)]);
    for lines in [
        vec![],
        vec![line("tea", 0)],
        vec![line("tea", MOST_PIECES + 1)],
    ] {
        assert!(
            matches!(room.reserve("o1", &lines, NOW), Err(Refusal::Invalid(_))),
            "{lines:?}"
        );
    }
}

#[test]
fn a_hold_expires_and_its_pieces_can_be_held_by_others() {
    let mut room = Room::with(&[("tea", 3)]);
    room.reserve("o1", &[line("tea", 3)], NOW).unwrap();
    assert_eq!(room.counts("tea", NOW + HOLD_MILLIS - 1), (0, 3, 0));
    assert_eq!(room.counts("tea", NOW + HOLD_MILLIS), (3, 0, 0));
    room.reserve("o2", &[line("tea", 2)], NOW + HOLD_MILLIS)
        .unwrap();
    assert_eq!(room.counts("tea", NOW + HOLD_MILLIS), (1, 2, 0));
    assert_eq!(
        room.shelves["tea"].holds.len(),
        1,
        "the expired hold is dropped when the shelf is written"
    );
}

#[test]
fn an_expired_hold_is_taken_again_if_the_pieces_are_still_there() {
    let mut room = Room::with(&[("tea", 3)]);
    room.reserve("o1", &[line("tea", 3)], NOW).unwrap();
    room.sell("o1", NOW + HOLD_MILLIS).unwrap();
    assert_eq!(room.counts("tea", NOW + HOLD_MILLIS), (0, 0, 3));
}

#[test]
fn an_expired_hold_whose_pieces_are_gone_cannot_be_sold() {
    let mut room = Room::with(&[("mug", 5), ("tea", 3)]);
    room.reserve("o1", &[line("mug", 1), line("tea", 3)], NOW)
        .unwrap();
    let later = NOW + HOLD_MILLIS;
    room.reserve("o2", &[line("tea", 1)], later).unwrap();
    let before = room.clone();
    assert_eq!(
        room.sell("o1", later),
        Err(Refusal::Expired("tea".to_owned()))
    );
    assert_eq!(room, before, "no line of the order is sold");
}

#[test]
fn an_order_that_was_released_can_hold_and_buy_nothing() {
    let mut room = Room::with(&[("tea", 3)]);
    room.release("late", NOW);
    assert_eq!(
        room.reserve("late", &[line("tea", 1)], NOW),
        Err(Refusal::Released("late".to_owned()))
    );
    assert_eq!(
        room.sell("late", NOW),
        Err(Refusal::Released("late".to_owned()))
    );
    assert_eq!(room.counts("tea", NOW), (3, 0, 0));
}

#[test]
fn what_was_never_held_cannot_be_sold() {
    let mut room = Room::with(&[("tea", 3)]);
    insta::assert_snapshot!(room.sell("o1", NOW).unwrap_err(), @"order o1 holds nothing");
}

#[test]
fn a_product_that_is_announced_twice_is_delivered_once() {
    let shelf = Shelf::opened(None, 100).unwrap();
    assert_eq!(Shelf::opened(Some(&shelf), 100), None);
}

#[derive(Clone, Debug)]
enum Command {
    Reserve(u8, Vec<(u8, u32)>),
    Sell(u8),
    Release(u8),
    Wait(u64),
}

fn command() -> impl Strategy<Value = Command> {
    let lines = prop::collection::vec((0..4u8, 0..6u32), 0..4);
    prop_oneof![
        4 => (0..6u8, lines).prop_map(|(order, lines)| Command::Reserve(order, lines)),
        3 => (0..6u8).prop_map(Command::Sell),
        2 => (0..6u8).prop_map(Command::Release),
        2 => (0..HOLD_MILLIS).prop_map(Command::Wait),
    ]
}

/// The answer of one command; a wait has none.
fn run(room: &mut Room, command: &Command, now: u64) -> Result<(), Refusal> {
    match command {
        Command::Reserve(order, lines) => {
            let lines: Vec<Line> = lines
                .iter()
                .map(|(sku, quantity)| line(&format!("sku{sku}"), *quantity))
                .collect();
            room.reserve(&format!("o{order}"), &lines, now)
        }
        Command::Sell(order) => room.sell(&format!("o{order}"), now),
        Command::Release(order) => {
            room.release(&format!("o{order}"), now);
            Ok(())
        }
        Command::Wait(_) => Ok(()),
    }
}

/// Pieces sold, counted from the orders' side.
fn sold_by_orders(room: &Room, sku: &str) -> u32 {
    let sold = room
        .orders
        .values()
        .filter(|order| order.progress == Progress::Sold);
    sold.flat_map(|order| &order.lines)
        .filter(|line| line.sku == sku)
        .map(|line| line.quantity)
        .sum()
}

proptest! {
    #[test]
    fn pieces_are_conserved_and_commands_can_be_doubled(
        commands in prop::collection::vec(command(), 0..60),
        doubled in any::<u64>(),
    ) {
        // "sku3" is never delivered, so that unknown products are asked for too.
        let mut room = Room::with(&[("sku0", 5), ("sku1", 8), ("sku2", 3)]);
        let mut now = NOW;
        for (turn, command) in commands.iter().enumerate() {
            if let Command::Wait(millis) = command {
                now += millis;
            }
            let before = room.clone();
            let answer = run(&mut room, command, now);
            if answer.is_err() {
                prop_assert_eq!(&room, &before, "a refusal changes nothing");
            }
            if doubled >> (turn % 64) & 1 == 1 {
                let once = room.clone();
                prop_assert_eq!(run(&mut room, command, now), answer);
                prop_assert_eq!(&room, &once, "a doubled command changes nothing");
            }
            for (sku, shelf) in &room.shelves {
                let stock = shelf.stock(sku, now);
                prop_assert_eq!(stock.available + stock.reserved + stock.sold, stock.received);
                prop_assert_eq!(stock.sold, sold_by_orders(&room, sku));
                let waiting: u32 = shelf.holds.iter().map(|hold| hold.quantity).sum();
                prop_assert!(waiting + shelf.sold <= shelf.received, "even if the clock went back");
            }
        }
    }
}
