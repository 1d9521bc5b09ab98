//! Each rule at its limit, what two suspicions make, and that histories say what happened however it is told.

use proptest::{prelude::*, prop_assert, prop_assert_eq, proptest};

use super::{doorstep::Address, record::Scale, *};

const SECOND: u64 = 1_000;
const WINDOW: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * WINDOW;

/// When these tests happen.
const NOW: u64 = 100 * DAY;

const LIMITS: Limits = Limits {
    window: WINDOW,
    order: 100_000,
    unusual: 10,
    orders: 5,
    spending: 200_000,
    rejections: 3,
    neighbours: 2,
    new_account: DAY,
    first_order: 50_000,
};

/// All rules switched off.
const NONE: Limits = Limits {
    order: 0,
    unusual: 0,
    orders: 0,
    spending: 0,
    rejections: 0,
    neighbours: 0,
    first_order: 0,
    ..LIMITS
};

fn euros(amount: u64) -> Money {
    Money {
        amount,
        currency: "EUR".to_owned(),
    }
}

fn request(order: &str, amount: u64) -> Request {
    Request {
        order: order.to_owned(),
        user: "usr_1".to_owned(),
        total: euros(amount),
    }
}

/// Somebody with an old account and these purchases.
fn regular(purchases: &[u64]) -> Customer {
    let mut customer = Customer::default();
    customer.register(NOW - 30 * DAY);
    for (number, amount) in purchases.iter().enumerate() {
        customer.buy(&format!("ord_{number}"), &euros(*amount));
    }
    customer
}

fn verdict(customer: &mut Customer, amount: u64, limits: &Limits) -> Verdict {
    let doorstep = Doorstep::default();
    let scale = Scale {
        doorstep: &doorstep,
        limits,
        now: NOW,
    };
    let request = request("ord_now", amount);
    let mut record = Record::default();
    record.screen(customer, &request, scale).unwrap()
}

fn line(verdict: &Verdict) -> String {
    let (word, found) = match verdict {
        Verdict::Approved(found) => ("approved", found),
        Verdict::Declined(found) => ("declined", found),
    };
    format!("{word} {} {:?}", found.score, found.reasons)
}

#[test]
fn an_ordinary_order_has_nothing_against_it() {
    let mut customer = regular(&[3_490, 5_000, 7_000]);
    assert_eq!(
        verdict(&mut customer, 9_000, &LIMITS),
        Verdict::Approved(Assessment::default())
    );
}

#[test]
fn each_rule_begins_one_beyond_its_limit() {
    let mut lines = Vec::new();
    for amount in [100_000, 100_001] {
        let mut customer = regular(&[50_000]);
        lines.push(line(&verdict(&mut customer, amount, &LIMITS)));
    }
    for placed in [4, 5] {
        let mut customer = regular(&[50_000]);
        for _ in 0..placed {
            customer.place(&euros(1), NOW, WINDOW, NOW);
        }
        lines.push(line(&verdict(&mut customer, 1, &LIMITS)));
    }
    for spent in [190_000, 190_001] {
        let mut customer = regular(&[50_000]);
        customer.place(&euros(spent), NOW, WINDOW, NOW);
        lines.push(line(&verdict(&mut customer, 10_000, &LIMITS)));
    }
    for rejected in [2, 3] {
        let mut customer = regular(&[50_000]);
        (0..rejected).for_each(|_| customer.reject(NOW, WINDOW));
        lines.push(line(&verdict(&mut customer, 1, &LIMITS)));
    }
    for amount in [50_000, 50_001] {
        let mut customer = regular(&[4_000, 90_000, 5_000]);
        lines.push(line(&verdict(&mut customer, amount, &LIMITS)));
    }
    for amount in [50_000, 50_001] {
        lines.push(line(&verdict(&mut Customer::default(), amount, &LIMITS)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    approved 0 []
    declined 100 [AboveLimit(100001)]
    approved 0 []
    declined 100 [ManyOrders(6)]
    approved 0 []
    declined 100 [MuchSpent(200001)]
    approved 0 []
    declined 100 [ManyRejections(3)]
    approved 0 []
    approved 50 [UnusualAmount(10)]
    approved 0 []
    approved 50 [LargeFirstOrder(50001)]
    ");
}

#[test]
fn an_address_is_suspect_from_one_customer_beyond_the_limit_on_and_two_suspicions_decline() {
    let mut lines = Vec::new();
    for (neighbours, amount) in [(1, 100), (2, 100), (2, 60_000)] {
        let mut doorstep = Doorstep::default();
        for number in 0..neighbours {
            doorstep.visit(
                &format!("usr_other_{number}"),
                LIMITS.neighbours,
                WINDOW,
                NOW,
            );
        }
        doorstep.visit("usr_1", LIMITS.neighbours, WINDOW, NOW);
        let scale = Scale {
            doorstep: &doorstep,
            limits: &LIMITS,
            now: NOW,
        };
        let said =
            Record::default().screen(&mut Customer::default(), &request("ord_1", amount), scale);
        lines.push(line(&said.unwrap()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    approved 0 []
    approved 50 [SharedAddress(3)]
    declined 100 [SharedAddress(3), LargeFirstOrder(60000)]
    ");
}

#[test]
fn a_limit_of_zero_switches_its_rule_off() {
    let mut customer = regular(&[1, 1, 1]);
    for _ in 0..1_000 {
        customer.place(&euros(u64::MAX), NOW, WINDOW, NOW);
        customer.reject(NOW, WINDOW);
    }
    let said = verdict(&mut customer, u64::MAX, &NONE);
    assert_eq!(said, Verdict::Approved(Assessment::default()));
    let said = verdict(&mut Customer::default(), u64::MAX, &NONE);
    assert_eq!(said, Verdict::Approved(Assessment::default()));
}

#[test]
fn amounts_in_another_currency_are_not_compared() {
    let mut customer = regular(&[]);
    for order in ["ord_1", "ord_2", "ord_3"] {
        let krona = Money {
            amount: 10,
            currency: "ISK".to_owned(),
        };
        customer.buy(order, &krona);
        customer.place(
            &Money {
                amount: 200_000,
                ..krona
            },
            NOW,
            WINDOW,
            NOW,
        );
    }
    assert_eq!(
        line(&verdict(&mut customer, 90_000, &LIMITS)),
        "approved 0 []"
    );
}

#[test]
fn what_is_older_than_the_window_is_forgotten() {
    let mut customer = regular(&[50_000]);
    for _ in 0..10 {
        customer.place(&euros(100_000), NOW, WINDOW, NOW);
        customer.reject(NOW, WINDOW);
    }
    let later = NOW + WINDOW;
    assert_eq!(customer.orders(WINDOW, later), 0);
    assert_eq!(customer.spent("EUR", WINDOW, later), 0);
    assert_eq!(customer.rejections(WINDOW, later), 0);
    customer.reject(later, WINDOW);
    assert_eq!(customer.rejections(WINDOW, later), 1, "a new row begins");
    let just_before = NOW + WINDOW * 11 / 12 - 1;
    assert_eq!(customer.orders(WINDOW, just_before), 10);
}

#[test]
fn an_order_that_stands_ends_the_row_of_rejections() {
    let mut customer = regular(&[]);
    (0..3).for_each(|_| customer.reject(NOW, WINDOW));
    customer.buy("ord_1", &euros(1));
    assert_eq!(customer.rejections(WINDOW, NOW), 0);
}

/// A new order that is told of in this way, and what its customer's history then says: orders, euros spent, purchases,
/// rejections.
fn told(limits: &Limits, tell: impl Fn(&mut Record, &mut Customer)) -> (u32, u64, usize, u32) {
    let (mut record, mut customer) = (Record::default(), Customer::default());
    tell(&mut record, &mut customer);
    let before = (record.clone(), customer.clone());
    // Nothing happens to orders that nobody has placed.
    Record::default().end(&mut customer, "ord_9", Outcome::Rejected, (NOW, limits));
    assert_eq!((record, customer.clone()), before);
    (
        customer.orders(WINDOW, NOW),
        customer.spent("EUR", WINDOW, NOW),
        customer.purchases("EUR").len(),
        customer.rejections(WINDOW, NOW),
    )
}

fn screen(
    record: &mut Record,
    customer: &mut Customer,
    limits: &Limits,
) -> Result<Verdict, Refusal> {
    let scale = Scale {
        doorstep: &Doorstep::default(),
        limits,
        now: NOW,
    };
    record.screen(customer, &request("ord_1", 1_000), scale)
}

fn place(record: &mut Record, customer: &mut Customer) {
    record.place(customer, &request("ord_1", 1_000), NOW, (&LIMITS, NOW));
}

#[test]
fn what_an_order_leaves_depends_on_how_it_ends() {
    let strict = Limits { order: 1, ..LIMITS };
    let end = |record: &mut Record, customer: &mut Customer, outcome| {
        record.end(customer, "ord_1", outcome, (NOW, &LIMITS));
        record.end(customer, "ord_1", outcome, (NOW, &LIMITS));
    };
    let ends = [
        told(&LIMITS, |record, customer| {
            place(record, customer);
            screen(record, customer, &LIMITS).unwrap();
            place(record, customer);
        }),
        told(&LIMITS, |record, customer| {
            screen(record, customer, &LIMITS).unwrap();
            end(record, customer, Outcome::Confirmed);
        }),
        told(&LIMITS, |record, customer| {
            screen(record, customer, &LIMITS).unwrap();
            record.withdraw(customer);
            end(record, customer, Outcome::Rejected);
        }),
        told(&LIMITS, |record, customer| {
            screen(record, customer, &strict).unwrap();
            end(record, customer, Outcome::Rejected);
        }),
        told(&LIMITS, |record, customer| {
            place(record, customer);
            end(record, customer, Outcome::Rejected);
        }),
        told(&LIMITS, |record, customer| {
            screen(record, customer, &LIMITS).unwrap();
            end(record, customer, Outcome::Confirmed);
            end(record, customer, Outcome::Returned);
        }),
        told(&LIMITS, |record, customer| {
            record.withdraw(customer);
            place(record, customer);
        }),
    ];
    let lines = ends.map(|end| format!("{end:?}"));
    insta::assert_snapshot!(lines.join("\n"), @r"
    (1, 1000, 0, 0)
    (1, 1000, 1, 0)
    (1, 0, 0, 1)
    (1, 0, 0, 0)
    (1, 0, 0, 0)
    (1, 0, 0, 0)
    (1, 0, 0, 0)
    ");
}

#[test]
fn an_order_is_screened_as_itself_only_and_not_after_it_was_withdrawn() {
    let (mut record, mut customer) = (Record::default(), Customer::default());
    screen(&mut record, &mut customer, &LIMITS).unwrap();
    let scale = Scale {
        doorstep: &Doorstep::default(),
        limits: &LIMITS,
        now: NOW,
    };
    let mut refusal = |record: &mut Record, request: &Request| {
        let said = record.screen(&mut customer, request, scale);
        said.unwrap_err().to_string()
    };
    let other = Request {
        user: "usr_2".to_owned(),
        ..request("ord_1", 1_000)
    };
    let strange = Request {
        user: "../1".to_owned(),
        ..request("ord_1", 1_000)
    };
    let mut refusals = vec![
        refusal(&mut record, &request("ord_1", 999)),
        refusal(&mut record, &other),
        refusal(&mut record, &strange),
        refusal(&mut record, &request("", 999)),
    ];
    record.withdraw(&mut Customer::default());
    refusals.push(refusal(&mut record, &request("ord_1", 1_000)));
    insta::assert_snapshot!(refusals.join("\n"), @r"
    order ord_1 was another customer's, or over another amount
    order ord_1 was another customer's, or over another amount
    the user's id is not one
    the order's id is not one
    the screening of order ord_1 was withdrawn before
    ");
}

#[test]
fn an_address_is_the_same_however_it_is_written() {
    let address = |street, city| Address {
        street,
        city,
        postal_code: "310",
        country: "IS",
    };
    let one = address("Digranes 1", "Borgarnes");
    assert_eq!(one.normal(), "is/310/borgarnes/digranes1");
    assert_eq!(
        one.normal(),
        address("  DIGRANES, 1.", "borgarnes").normal()
    );
    assert_ne!(one.normal(), address("Digranes 2", "Borgarnes").normal());
    assert_ne!(one.normal(), address("1", "Borgarnes Digranes").normal());
}

#[test]
fn an_address_that_a_crowd_orders_to_stops_changing() {
    let mut doorstep = Doorstep::default();
    let changes = (0..1_000)
        .filter(|number| {
            let before = doorstep.clone();
            doorstep.visit(&format!("usr_{number}"), 10, WINDOW, NOW);
            doorstep != before
        })
        .count();
    assert_eq!(changes, 11);
    assert_eq!(doorstep.customers_with("usr_999", WINDOW, NOW), 12);
    // It is suspect as long as they keep coming.
    for number in 0..100_u64 {
        let now = NOW + number * WINDOW / 10;
        let user = format!("usr_late_{number}");
        (0..10).for_each(|other| doorstep.visit(&format!("{user}_{other}"), 10, WINDOW, now));
        assert!(doorstep.customers_with(&user, WINDOW, now) > 10);
    }
    assert_eq!(
        doorstep.customers_with("usr_1", WINDOW, NOW + 20 * WINDOW),
        1
    );
}

/// Something that is said of one of several orders.
#[derive(Clone, Copy, Debug)]
enum Told {
    Place,
    Screen,
    Withdraw,
    End(Outcome),
}

fn tellings() -> impl Strategy<Value = Vec<(usize, Told)>> {
    let told = prop_oneof![
        Just(Told::Place),
        Just(Told::Screen),
        Just(Told::Withdraw),
        Just(Told::End(Outcome::Confirmed)),
        Just(Told::End(Outcome::Rejected)),
        Just(Told::End(Outcome::Cancelled)),
        Just(Told::End(Outcome::Returned)),
    ];
    proptest::collection::vec((0..4_usize, told), 0..40)
}

fn tell(record: &mut Record, customer: &mut Customer, order: &str, told: Told) {
    let doorstep = Doorstep::default();
    let scale = Scale {
        doorstep: &doorstep,
        limits: &LIMITS,
        now: NOW,
    };
    let request = request(order, 60_000);
    match told {
        Told::Place => record.place(customer, &request, NOW - SECOND, (&LIMITS, NOW)),
        Told::Screen => drop(record.screen(customer, &request, scale)),
        Told::Withdraw => record.withdraw(customer),
        Told::End(outcome) => record.end(customer, order, outcome, (NOW, &LIMITS)),
    }
}

proptest! {
    #[test]
    fn an_order_counts_once_and_is_spent_until_nobody_pays_for_it(said in tellings()) {
        let mut customer = Customer::default();
        let mut records = vec![Record::default(); 4];
        for (number, told) in said {
            let order = format!("ord_{number}");
            let Some(record) = records.get_mut(number) else { continue };
            tell(record, &mut customer, &order, told);
            let once = (record.clone(), customer.clone());
            tell(record, &mut customer, &order, told);
            prop_assert_eq!(&once, &(record.clone(), customer.clone()), "{:?} again", told);
        }
        let placed = records.iter().filter(|record| record.user().is_some()).count();
        prop_assert_eq!(u64::from(customer.orders(WINDOW, NOW)), placed as u64);
        let spent = records.iter().filter(|record| record.is_spent()).count() as u64;
        prop_assert_eq!(customer.spent("EUR", WINDOW, NOW), spent * 60_000);
    }

    #[test]
    fn a_verdict_never_changes(said in tellings()) {
        let (mut record, mut customer) = (Record::default(), Customer::default());
        let mut first = None;
        for (_, told) in said {
            if matches!(told, Told::Screen) {
                if let Ok(verdict) = screen(&mut record, &mut customer, &LIMITS) {
                    prop_assert_eq!(&verdict, first.get_or_insert(verdict.clone()));
                }
            } else if !matches!(told, Told::Place) {
                tell(&mut record, &mut customer, "ord_1", told);
            }
        }
    }

    #[test]
    fn a_window_counts_what_is_in_it_to_a_twelfth(
        ages in proptest::collection::vec(0..2 * WINDOW, 0..100),
        window in 0..WINDOW,
    ) {
        let mut customer = Customer::default();
        let mut ages = ages;
        ages.sort_unstable_by(|one, other| other.cmp(one));
        for age in &ages {
            customer.place(&euros(1), NOW - age, window, NOW - age);
        }
        let within = |span: u64| ages.iter().filter(|age| **age < span).count() as u64;
        let counted = u64::from(customer.orders(window, NOW));
        prop_assert!(counted <= within(window), "{} of {}", counted, within(window));
        prop_assert!(counted >= within(window - window.div_ceil(12)));
        prop_assert_eq!(customer.spent("EUR", window, NOW), counted);
    }

    #[test]
    fn a_history_does_not_grow_with_its_orders(ages in proptest::collection::vec(0..WINDOW, 1_000)) {
        let mut customer = Customer::default();
        for (number, age) in ages.iter().enumerate() {
            customer.place(&euros(1), NOW - age, WINDOW, NOW);
            customer.buy(&format!("ord_{number}"), &euros(1));
        }
        let size = serde_json::to_vec(&customer).map(|document| document.len()).unwrap_or(usize::MAX);
        prop_assert!(size < 3_000, "{}", size);
    }

    #[test]
    fn more_reasons_never_make_a_declined_order_approved(amount in 0..300_000_u64, orders in 0..8_u64) {
        let weigh = |amount| {
            let mut customer = regular(&[5_000, 5_000, 5_000]);
            for _ in 0..orders {
                customer.place(&euros(1), NOW, WINDOW, NOW);
            }
            verdict(&mut customer, amount, &LIMITS)
        };
        if matches!(weigh(amount), Verdict::Declined(_)) {
            prop_assert!(matches!(weigh(amount + 1_000), Verdict::Declined(_)));
        }
    }
}
