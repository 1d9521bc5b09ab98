//! The state of all services, as far as one order is concerned, and what they do with it. What is decided here is only
//! what their stores and their glue decide.

use time::{Duration, OffsetDateTime};

use crate::{
    cart::domain::Cart,
    checkout::order::{self, Order},
    inventory::domain::{Desk, Line, Shelf},
    orders::domain::{self as orders, Command, Event, Placed, Recorded, Status, Wish},
    payments::domain::{self as payments, Payment, Receipt, Step},
    psp::domain::{self as psp, Account, Denial},
    shipping::domain::{self as shipping, Parcel, Record},
};

/// What every order of these tests wants, of how many there are.
pub(crate) const WANTED: u32 = 2;
const RECEIVED: u32 = 10;

/// When parcels leave; everything else happens at 0, so a hold never expires.
pub(crate) const LEAVES: u64 = 60_000;

/// What an order costs.
const TOTAL: u64 = 1_000;

/// What every service knows.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) order: Vec<Recorded>,
    pub(crate) desk: Desk,
    pub(crate) payment: Payment,
    pub(crate) account: Account,
    pub(crate) shipment: Option<Record>,
    pub(crate) cart: Cart,
    pub(crate) given_back: bool,
}

/// The order of these tests, paid and shipped like this.
pub(crate) fn order(token: &str, country: &str) -> Order {
    let data = r#"{"specversion":"1.0","id":"evt_1","source":"/shop/orders","type":"shop.order.placed.v1",
        "time":"2026-08-21T09:30:00Z","subject":"ord_1","data":{"order":"ord_1","user":"usr_1",
        "lines":[{"sku":"tea","name":"Green tea","quantity":2,"price":{"amount":500,"currency":"EUR"}}],
        "total":{"amount":1000,"currency":"EUR"},"payment":{"token":"TOKEN"},
        "ship_to":{"name":"Ada","street":"Kai 1","city":"Oslo","postal_code":"0150","country":"COUNTRY"}}}"#;
    let data = data.replace("TOKEN", token).replace("COUNTRY", country);
    order::parse(data.as_bytes()).unwrap()
}

impl World {
    /// The order is placed, and its lines are claimed.
    pub(crate) fn new(order: &Order) -> Self {
        let mut cart = Cart::default();
        cart.put("tea", WANTED).unwrap();
        cart.take("key", &order.id, None, 0).unwrap();
        cart.hear_of(&order.id);
        let shelf = Shelf {
            received: RECEIVED,
            ..Shelf::default()
        };
        let total = orders::Money {
            amount: order.total.amount,
            currency: order.total.currency.clone(),
        };
        let placed = Placed {
            user: order.user.clone(),
            lines: Vec::new(),
            total,
            ship_to: address(order),
        };
        let mut world = Self {
            now: 0,
            order: Vec::new(),
            desk: Desk::default(),
            payment: Payment::default().owned_by(&order.user),
            account: Account::default(),
            shipment: None,
            cart,
            given_back: false,
        };
        world.desk.shelves.insert("tea".to_owned(), shelf);
        world.record(Event::Placed(Box::new(placed)));
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
        orders::fold(&self.order).unwrap()
    }

    /// What has happened to the order.
    pub(crate) fn history(&self) -> String {
        let names = self.order.iter().map(|recorded| recorded.event.name());
        names.collect::<Vec<_>>().join(" ")
    }

    /// Runs a command on the payment as its service does, with the provider at hand.
    pub(crate) fn pay(&mut self, command: &payments::Command) -> Result<(), payments::Refusal> {
        if self.payment.decide(command)? == Step::Settled {
            return Ok(());
        }
        let key = format!("ord_1-{}", command.name());
        let asked = provider(command);
        let reply = loop {
            let outcome = self.account.serve(&asked, &key);
            self.account = outcome.account;
            // Whoever calls the provider calls it again until it is well.
            if outcome.reply != Err(Denial::Busy) {
                break outcome.reply;
            }
        };
        let books = reply.map_err(|denial| payments::Refusal::Declined(denial.to_string()))?;
        let receipt = Receipt {
            currency: books.currency,
            authorised: books.authorised,
            captured: books.captured,
            voided: books.voided,
            refunded: books.refunded,
        };
        self.payment = self.payment.clone().after(command, &receipt)?;
        Ok(())
    }

    pub(crate) fn book(&mut self, order: &Order) -> Result<(), shipping::Refusal> {
        let to = shipping::Address {
            name: order.ship_to.name.clone(),
            street: order.ship_to.street.clone(),
            city: order.ship_to.city.clone(),
            postal_code: order.ship_to.postal_code.clone(),
            country: order.ship_to.country.clone(),
        };
        let parcel = Parcel {
            order: &order.id,
            user: &order.user,
            to: &to,
            leaves: LEAVES,
        };
        self.shipment = Some(shipping::book(self.shipment.as_ref(), &parcel)?);
        Ok(())
    }

    pub(crate) fn call_off(&mut self) -> Result<(), shipping::Refusal> {
        self.shipment = Some(shipping::cancel(self.shipment.as_ref(), "ord_1", self.now)?);
        Ok(())
    }

    pub(crate) fn reinstate(&mut self) {
        self.shipment = self.shipment.as_ref().map(shipping::reinstate);
    }

    pub(crate) fn give_back(&mut self) {
        self.given_back |= self.cart.give_back("ord_1").is_some();
    }

    /// Takes pieces off the shelf for somebody else.
    pub(crate) fn sell_to_others(&mut self, quantity: u32) {
        let line = Line {
            sku: "tea".to_owned(),
            quantity,
        };
        let own = self.desk.allocation.take();
        self.desk.reserve("ord_2", &[line], self.now).unwrap();
        self.desk.sell("ord_2", self.now).unwrap();
        self.desk.allocation = own;
    }

    /// What holds at every moment.
    pub(crate) fn check(&self) {
        let stock = self.desk.shelves["tea"].stock("tea", self.now);
        assert_eq!(
            stock.available + stock.reserved + stock.sold,
            stock.received,
            "{stock:?}"
        );
        let balance = self.payment.balance();
        assert!(
            balance.captured + balance.voided <= balance.authorised,
            "{self:?}"
        );
        assert!(balance.refunded <= balance.captured, "{self:?}");
    }

    /// What holds once nothing goes on any more: all of the order happened, or nothing that matters did.
    pub(crate) fn check_ended(&self, others: u32) {
        self.check();
        let state = self.state();
        let stands = state.status == Status::Confirmed;
        let keeps = stands && state.sending_back != Wish::Granted;
        assert_ne!(state.status, Status::Pending, "{}", self.history());
        assert_ne!(state.sending_back, Wish::Open, "{}", self.history());
        assert!(
            state.cancellation != Wish::Open || state.status == Status::Rejected,
            "{}",
            self.history()
        );

        let stock = self.desk.shelves["tea"].stock("tea", self.now);
        let own = if keeps { WANTED } else { 0 };
        assert_eq!(
            (stock.reserved, stock.sold),
            (0, own + others),
            "{}",
            self.history()
        );

        let balance = self.payment.balance();
        let kept = if keeps { TOTAL } else { 0 };
        assert_eq!(
            balance.captured - balance.refunded,
            kept,
            "{balance:?} {}",
            self.history()
        );
        assert_eq!(
            balance.authorised,
            balance.captured + balance.voided,
            "{balance:?}"
        );
        let books = self.account.books();
        assert_eq!(
            [
                books.authorised,
                books.captured,
                books.voided,
                books.refunded
            ],
            [
                balance.authorised,
                balance.captured,
                balance.voided,
                balance.refunded
            ],
            "the provider's books are ours"
        );

        let booked = matches!(self.shipment, Some(Record::Booked(_)));
        assert_eq!(booked, stands, "{:?} {}", self.shipment, self.history());
        assert_eq!(self.cart.claim(), None, "the customer can order again");
        assert!(
            !(stands && self.given_back),
            "lines are bought or back, not both"
        );
    }

    fn record(&mut self, event: Event) {
        let at = OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(self.now as i64);
        self.order.push(Recorded { at, event });
    }
}

fn provider(command: &payments::Command) -> psp::Command {
    match command {
        payments::Command::Authorise(charge) => psp::Command::Authorise(psp::Charge {
            amount: charge.total.amount,
            currency: charge.total.currency.clone(),
            token: charge.token.clone(),
        }),
        payments::Command::Capture => psp::Command::Capture,
        payments::Command::Void => psp::Command::Void,
        payments::Command::Refund => psp::Command::Refund,
    }
}

fn address(order: &Order) -> orders::Address {
    orders::Address {
        name: order.ship_to.name.clone(),
        street: order.ship_to.street.clone(),
        city: order.ship_to.city.clone(),
        postal_code: order.ship_to.postal_code.clone(),
        country: order.ship_to.country.clone(),
    }
}
