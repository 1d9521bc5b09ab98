//! Rules one by one, then carts under any sequence of steps.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_000_000;

fn cart(lines: &[(&str, u32)]) -> Cart {
    let mut cart = Cart::default();
    for (sku, quantity) in lines {
        cart.put(sku, *quantity).unwrap();
    }
    cart
}

fn shown(cart: &Cart) -> Vec<(&str, u32)> {
    cart.lines()
        .iter()
        .map(|line| (line.sku.as_str(), line.quantity))
        .collect()
}

fn item(amount: u64, currency: &str) -> Item {
    Item {
        name: "Thing".to_owned(),
        price: Money {
            amount,
            currency: currency.to_owned(),
        },
    }
}

fn line(sku: &str, quantity: u32) -> Line {
    Line {
        sku: sku.to_owned(),
        quantity,
    }
}

#[test]
fn quantities_outside_1_to_1000_are_refused() {
    let mut cart = cart(&[("horn", 1)]);
    for quantity in [0, 1_001, u32::MAX] {
        assert_eq!(cart.put("horn", quantity), Err(Refusal::Quantity(quantity)));
    }
    assert_eq!(shown(&cart), [("horn", 1)]);
    cart.put("horn", 1_000).unwrap();
    assert_eq!(shown(&cart), [("horn", 1_000)]);
}

#[test]
fn the_hundred_and_first_line_is_refused() {
    let mut cart = Cart::default();
    for number in 0..MAX_LINES {
        cart.put(&number.to_string(), 1).unwrap();
    }
    assert_eq!(cart.put("more", 1), Err(Refusal::Full));
    assert_eq!(
        cart.put("0", 2),
        Ok(()),
        "a line that is there can be changed"
    );
    assert!(cart.remove("0"));
    assert!(!cart.remove("0"));
    assert_eq!(cart.put("more", 1), Ok(()));
}

#[test]
fn the_same_key_gets_the_same_claim() {
    let mut cart = cart(&[("horn", 2)]);
    let first = cart.take("k1", "ord_1", None, NOW).unwrap();
    assert_eq!(first.lines, [line("horn", 2)]);
    assert_eq!(cart.take("k1", "ord_2", None, NOW + 1), Ok(first.clone()));
    let ended = cart.consume("ord_1").unwrap();
    assert_eq!(cart.take("k1", "ord_3", Some(ended), NOW), Ok(first));
}

#[test]
fn an_empty_or_claimed_cart_is_refused() {
    let mut cart = cart(&[]);
    assert_eq!(cart.take("k1", "ord_1", None, NOW), Err(Refusal::Empty));
    cart.put("horn", 1).unwrap();
    cart.take("k1", "ord_1", None, NOW).unwrap();
    cart.put("lyre", 1).unwrap();
    assert_eq!(
        cart.take("k2", "ord_2", None, NOW),
        Err(Refusal::Claimed("ord_1".to_owned()))
    );
    assert_eq!(shown(&cart), [("lyre", 1)]);
}

#[test]
fn lines_given_back_are_added_to_what_is_there() {
    let mut cart = cart(&[("horn", 600), ("lyre", 1)]);
    cart.take("k1", "ord_1", None, NOW).unwrap();
    cart.put("horn", 500).unwrap();
    let ended = cart.give_back("ord_1").unwrap();
    assert_eq!(
        shown(&cart),
        [("horn", 1_100), ("lyre", 1)],
        "no piece is lost"
    );
    assert_eq!(cart.put("horn", 1_100), Err(Refusal::Quantity(1_100)));
    assert_eq!(cart.give_back("ord_1"), None);
    assert_eq!(cart.consume("ord_1"), None);
    let again = cart.take("k1", "ord_9", Some(ended), NOW);
    assert_eq!(again, Err(Refusal::GivenBack("ord_1".to_owned())));
}

#[test]
fn a_claim_goes_back_after_a_minute_unless_its_order_was_heard_of() {
    let mut cart = cart(&[("horn", 1)]);
    cart.take("k1", "ord_1", None, NOW).unwrap();
    assert!(!cart.hear_of("ord_2"));
    assert_eq!(cart.settle(NOW + TENTATIVE_MILLIS), None);
    let mut heard = cart.clone();
    assert!(heard.hear_of("ord_1"));
    assert!(!heard.hear_of("ord_1"), "the second time is no news");
    assert_eq!(heard.settle(u64::MAX), None);
    assert_eq!(
        cart.settle(NOW + TENTATIVE_MILLIS + 1).unwrap().end,
        End::GivenBack
    );
    assert_eq!(shown(&cart), [("horn", 1)]);
}

#[test]
fn a_total_that_cannot_be_counted_is_refused() {
    assert_eq!(view([]).unwrap().total, item(0, "EUR").price);
    let two = view([
        (line("a", 3), item(250, "NOK")),
        (line("b", 1), item(1, "NOK")),
    ]);
    assert_eq!(two.unwrap().total, item(751, "NOK").price);
    for price in [item(u64::MAX, "EUR"), item(1, "NOK")] {
        let refused = view([(line("a", 1), item(1, "EUR")), (line("b", 1), price)]);
        assert!(matches!(refused, Err(Refusal::NoTotal(_))), "{refused:?}");
    }
    assert!(view([(line("a", 2), item(u64::MAX, "EUR"))]).is_err());
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u32),
    Remove(u8),
    Take(u8),
    HearOf(u8),
    Consume(u8),
    GiveBack(u8),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u8..3, 1_u32..20).prop_map(|(sku, quantity)| Step::Put(sku, quantity)),
        (0_u8..3).prop_map(Step::Remove),
        (0_u8..4).prop_map(Step::Take),
        (0_u8..4).prop_map(Step::HearOf),
        (0_u8..4).prop_map(Step::Consume),
        (0_u8..4).prop_map(Step::GiveBack),
        (0_u64..90_000).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..40)
}

fn pieces(cart: &Cart) -> u64 {
    let claimed = cart.claim().into_iter().flat_map(|claim| &claim.lines);
    cart.lines()
        .iter()
        .chain(claimed)
        .map(|line| u64::from(line.quantity))
        .sum()
}

/// A cart and everything that was told about claims, for checking.
#[derive(Default)]
struct World {
    cart: Cart,
    ended: BTreeMap<String, Ended>,
    now: u64,
}

impl World {
    fn end(&mut self, ended: Option<Ended>) {
        if let Some(ended) = ended {
            let before = self.ended.insert(ended.claim.key.clone(), ended);
            assert!(before.is_none(), "a claim ends once");
        }
    }

    fn act(&mut self, step: &Step) {
        let settled = self.cart.settle(self.now);
        self.end(settled);
        match step {
            Step::Put(sku, quantity) => self.cart.put(&sku.to_string(), *quantity).unwrap(),
            Step::Remove(sku) => _ = self.cart.remove(&sku.to_string()),
            Step::Take(key) => {
                let ended = self.ended.get(&key.to_string()).cloned();
                let order = format!("ord_{key}");
                let _ = self.cart.take(&key.to_string(), &order, ended, self.now);
            }
            Step::HearOf(key) => _ = self.cart.hear_of(&format!("ord_{key}")),
            Step::Consume(key) => {
                let ended = self.cart.consume(&format!("ord_{key}"));
                self.end(ended);
            }
            Step::GiveBack(key) => {
                let ended = self.cart.give_back(&format!("ord_{key}"));
                self.end(ended);
            }
            Step::Wait(millis) => self.now += millis,
        }
    }
}

proptest! {
    #[test]
    fn only_customers_and_consumption_change_the_number_of_pieces(steps in steps()) {
        let mut world = World::default();
        for step in &steps {
            let before = pieces(&world.cart);
            let held = world.cart.claim().cloned();
            world.act(step);
            let gone = match (step, held, world.cart.claim()) {
                (Step::Consume(key), Some(held), None) if world.ended[&held.key].end == End::Consumed => {
                    prop_assert_eq!(&held.key, &key.to_string());
                    held.lines.iter().map(|line| u64::from(line.quantity)).sum()
                }
                _ => 0,
            };
            if !matches!(step, Step::Put(..) | Step::Remove(_)) {
                prop_assert_eq!(pieces(&world.cart) + gone, before);
            }
        }
    }

    #[test]
    fn every_step_twice_is_the_step_once(steps in steps()) {
        let (mut once, mut twice) = (World::default(), World::default());
        for step in &steps {
            once.act(step);
            twice.act(step);
            if !matches!(step, Step::Wait(_)) {
                twice.act(step);
            }
            prop_assert_eq!(&once.cart, &twice.cart);
            prop_assert_eq!(&once.ended, &twice.ended);
        }
    }
}
