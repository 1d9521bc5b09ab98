//! The state of all services, as far as one order is concerned, and what holds of it.

use time::{Duration, OffsetDateTime};

use super::{
    cart::domain::Cart,
    checkout::order::{self, Order},
    fraud::domain::{self as fraud, Customer, Limits, Outcome},
    inventory::domain::{Desk, Line, Progress, Shelf},
    orders::domain::{self as orders, Command, Event, Placed, Recorded, Status, Wish},
    payments::domain::Payment,
    psp::domain::Account,
    shipping::domain::Record,
};

/// The order that there is.
pub(crate) const ORDER: &str = "ord_1";

/// What it wants, of how many there are.
pub(crate) const WANTED: u32 = 2;
const SKU: &str = "tea";
const RECEIVED: u32 = 10;

/// What an order costs.
const TOTAL: u64 = 1_000;

/// How long after its booking a parcel leaves, in milliseconds: longer than any checkout takes,
/// also where a clock is set forward meanwhile.
pub(crate) const LEAVES_AFTER: u64 = 7_200_000;

/// What an order of these tests is far below of.
pub(crate) const LIMITS: Limits = Limits {
    window: 3_600_000,
    order: 100 * TOTAL,
    unusual: 10,
    orders: 10,
    spending: 100 * TOTAL,
    rejections: 10,
    neighbours: 10,
    new_account: 86_400_000,
    first_order: 100 * TOTAL,
};

/// What every service knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct World {
    /// Milliseconds since 1970.
    pub(crate) now: u64,
    pub(crate) order: Vec<Recorded>,
    pub(crate) desk: Desk,
    pub(crate) payment: Payment,
    pub(crate) account: Account,
    pub(crate) shipment: Option<Record>,
    pub(crate) customer: Customer,
    pub(crate) screening: fraud::Record,
    pub(crate) cart: Cart,
    pub(crate) given_back: bool,
    pub(crate) consumed: bool,
    /// How many pieces others have bought.
    pub(crate) others: u32,
}

/// Something holds, or this is wrong.
pub(crate) type Held = Result<(), String>;

/// An order that is paid and shipped like this; none where that makes none.
pub(crate) fn order(token: &str, country: &str) -> Option<Order> {
    let data = r#"{"specversion":"1.0","id":"evt_1","source":"/shop/orders","type":"shop.order.placed.v1",
        "time":"2026-08-21T09:30:00Z","subject":"ord_1","data":{"order":"ord_1","user":"usr_1",
        "lines":[{"sku":"tea","name":"Green tea","quantity":2,"price":{"amount":500,"currency":"EUR"}}],
        "total":{"amount":1000,"currency":"EUR"},"payment":{"token":"TOKEN"},
        "ship_to":{"name":"Ada","street":"Kai 1","city":"Oslo","postal_code":"0150","country":"COUNTRY"}}}"#;
    let data = data.replace("TOKEN", token).replace("COUNTRY", country);
    order::parse(data.as_bytes()).ok()
}

impl World {
    /// The order is placed, and its lines are claimed; others have bought so many pieces.
    pub(crate) fn new(order: &Order, now: u64, others: u32) -> Self {
        let mut cart = Cart::default();
        // A cart that did not take them is found out by what holds in the end.
        let _ = cart.put(SKU, WANTED);
        let _ = cart.take("key", &order.id, None, now);
        cart.hear_of(&order.id);
        let shelf = Shelf {
            received: RECEIVED,
            sold: others,
            ..Shelf::default()
        };
        let mut world = Self {
            now,
            order: Vec::new(),
            desk: Desk::default(),
            payment: Payment::default().owned_by(&order.user),
            account: Account::default(),
            shipment: None,
            customer: Customer::default(),
            screening: fraud::Record::default(),
            cart,
            given_back: false,
            consumed: false,
            others,
        };
        world.desk.shelves.insert(SKU.to_owned(), shelf);
        world.record(Event::Placed(Box::new(placed(order))));
        world
    }

    /// Asks the order; what is denied changes nothing.
    pub(crate) fn ask(&mut self, command: &Command) -> Result<orders::Order, orders::Denial> {
        let before = self.state();
        let event = before.decide(command)?;
        event.into_iter().for_each(|event| self.record(event));
        Ok(before)
    }

    pub(crate) fn state(&self) -> orders::Order {
        orders::fold(&self.order).unwrap_or_else(|| sdk::unavailable("the order was never placed"))
    }

    /// What has happened to the order.
    pub(crate) fn history(&self) -> String {
        let names = self.order.iter().map(|recorded| recorded.event.name());
        names.collect::<Vec<_>>().join(" ")
    }

    /// What holds at every moment.
    pub(crate) fn check(&self) -> Held {
        self.check_pieces()?;
        let (ours, theirs) = self.balances();
        for [authorised, captured, voided, refunded] in [ours, theirs] {
            held(
                captured + voided <= authorised && refunded <= captured,
                || format!("money comes from nowhere: {self:?}"),
            )?;
        }
        held(
            ours.iter()
                .zip(theirs)
                .all(|(ours, theirs)| *ours <= theirs),
            || format!("we say of money what the provider does not: {ours:?}, {theirs:?}"),
        )
    }

    /// Available + reserved + sold = received, and what is reserved and sold is somebody's.
    fn check_pieces(&self) -> Held {
        let progress = self.desk.allocation.as_ref().map(|own| own.progress);
        for shelf in self.desk.shelves.values() {
            let stock = format!("{shelf:?}, {progress:?}");
            let reserved = shelf.reserved(self.now);
            let free = shelf.received.checked_sub(shelf.sold + reserved);
            held(free == Some(shelf.available(self.now)), || {
                format!("pieces come from nowhere: {stock}")
            })?;
            let is_held = progress == Some(Progress::Held);
            let is_ours = |hold: &super::inventory::domain::Hold| {
                is_held && hold.order == ORDER && hold.quantity == WANTED
            };
            held(shelf.holds.iter().all(is_ours), || {
                format!("pieces wait for nobody: {stock}")
            })?;
            let own = if progress == Some(Progress::Sold) {
                WANTED
            } else {
                0
            };
            held(shelf.sold == own + self.others, || {
                format!("pieces are sold to nobody: {stock}")
            })?;
        }
        Ok(())
    }

    /// What holds once nothing goes on any more: all of the order happened, or nothing that matters did.
    pub(crate) fn check_ended(&self) -> Held {
        self.check()?;
        let state = self.state();
        let stands = state.status == Status::Confirmed;
        let keeps = stands && state.sending_back != Wish::Granted;
        let history = self.history();
        let cancellation = state.cancellation != Wish::Open || state.status == Status::Rejected;
        held(
            state.status != Status::Pending && state.sending_back != Wish::Open && cancellation,
            || format!("the order waits for ever: {history}"),
        )?;
        let sold = self.desk.shelves.values().map(|shelf| shelf.sold).sum();
        let reserved: usize = self.desk.shelves.values().map(|one| one.holds.len()).sum();
        let own = if keeps { WANTED } else { 0 };
        held((reserved, sold) == (0, own + self.others), || {
            format!("{reserved} holds, {sold} pieces are sold: {history}")
        })?;
        self.check_money(keeps)?;
        let spent = (self.screening.is_spent(), self.customer.has_bought());
        held(spent == (keeps, keeps), || {
            format!("spent and bought: {spent:?}: {history}")
        })?;
        let booked = matches!(self.shipment, Some(Record::Booked(_)));
        held(booked == stands, || {
            format!("shipment {:?}: {history}", self.shipment)
        })?;
        self.check_lines(stands)
    }

    /// Every authorisation is captured or voided; what is kept is kept for an order that stands.
    fn check_money(&self, keeps: bool) -> Held {
        let (ours, theirs) = self.balances();
        let [authorised, captured, voided, refunded] = ours;
        let history = self.history();
        let kept = if keeps { TOTAL } else { 0 };
        held(captured - refunded == kept, || {
            format!("{ours:?} was captured: {history}")
        })?;
        held(authorised == captured + voided, || {
            format!("{ours:?} is neither captured nor voided: {history}")
        })?;
        held(ours == theirs, || {
            format!("the provider's books are not ours: {theirs:?}, {ours:?}")
        })
    }

    /// The lines are bought, or in the cart again.
    fn check_lines(&self, stands: bool) -> Held {
        let history = self.history();
        held(self.cart.claim().is_none(), || {
            format!("the customer cannot order again: {history}")
        })?;
        let back: u32 = self.cart.lines().iter().map(|line| line.quantity).sum();
        let expected = if self.given_back { WANTED } else { 0 };
        held(back == expected, || {
            format!("{back} pieces are in the cart: {history}")
        })?;
        // An order that falls at the very last step has consumed its lines: they do not come back.
        held(
            self.given_back != self.consumed && (self.consumed || !stands),
            || format!("lines are bought or back, not both, not neither: {history}"),
        )
    }

    /// Authorised, captured, voided and refunded, as we have them and as the provider has.
    pub(crate) fn balances(&self) -> ([u64; 4], [u64; 4]) {
        let ours = self.payment.balance();
        let books = self.account.books();
        (
            [ours.authorised, ours.captured, ours.voided, ours.refunded],
            [
                books.authorised,
                books.captured,
                books.voided,
                books.refunded,
            ],
        )
    }

    fn tell_screening(&mut self, event: &Event) {
        let outcome = match event {
            Event::Placed(placed) => {
                let request = fraud::Request {
                    order: ORDER.to_owned(),
                    user: placed.user.clone(),
                    total: fraud::Money {
                        amount: placed.total.amount,
                        currency: placed.total.currency.clone(),
                    },
                };
                let scale = (&LIMITS, self.now);
                return self
                    .screening
                    .place(&mut self.customer, &request, self.now, scale);
            }
            Event::Confirmed => Outcome::Confirmed,
            Event::Rejected { .. } => Outcome::Rejected,
            Event::Cancelled => Outcome::Cancelled,
            Event::Returned => Outcome::Returned,
            Event::CancellationRequested
            | Event::CancellationRefused { .. }
            | Event::ReturnRequested { .. }
            | Event::ReturnRefused { .. } => return,
        };
        let scale = (self.now, &LIMITS);
        self.screening
            .end(&mut self.customer, ORDER, outcome, scale);
    }

    /// What happens to the order is heard of by who listens, here at once.
    fn record(&mut self, event: Event) {
        self.tell_screening(&event);
        let now = i64::try_from(self.now).unwrap_or(i64::MAX);
        let at = OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(now);
        orders::append(&mut self.order, event, at);
    }
}

fn placed(order: &Order) -> Placed {
    Placed {
        user: order.user.clone(),
        lines: Vec::new(),
        total: orders::Money {
            amount: order.total.amount,
            currency: order.total.currency.clone(),
        },
        ship_to: orders::Address {
            name: order.ship_to.name.clone(),
            street: order.ship_to.street.clone(),
            city: order.ship_to.city.clone(),
            postal_code: order.ship_to.postal_code.clone(),
            country: order.ship_to.country.clone(),
        },
    }
}

fn held(holds: bool, what: impl FnOnce() -> String) -> Held {
    if holds { Ok(()) } else { Err(what()) }
}
