//! Where the read model is kept.
//!
//! Keys: `order/<order>` is what is known of an order; `name/<user>` and `title/<sku>` are what people and products are
//! called; `root/<user>` and `leaf/<user>/<n>` say in which order a customer's orders were placed. A name changes one
//! document, however many orders show it.

use std::collections::BTreeSet;

use sdk::kv::Store;

use crate::domain::{
    Label, Record,
    index::{self, Leaf, Root},
    view::{self, View},
};

/// The label of the store.
const STORE: &str = "order-history";

/// The read model.
#[derive(Debug)]
pub struct Archive(Store);

/// What has a name that may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// A customer, by id.
    Customer(&'a str),
    /// A product, by SKU.
    Product(&'a str),
}

/// Orders of a customer, newest first, and the place after which the next page begins.
pub type PageOf = (Vec<View>, Option<String>);

impl Archive {
    /// Opens it.
    pub fn open() -> Self {
        Self(Store::open(STORE))
    }

    /// Notes what somebody or something is called, unless a later name is known.
    pub fn name(&self, what: Named<'_>, label: &Label) {
        let key = what.key();
        if label.replaces(self.0.get(&key).as_ref()) {
            self.0.set(&key, label);
        }
    }

    /// Changes what is known of an order; an order that becomes known is added to its customer's.
    pub fn learn(&self, order: &str, learn: impl FnOnce(&mut Record)) {
        let known: Record = self.0.get(&order_key(order)).unwrap_or_default();
        let mut record = known.clone();
        learn(&mut record);
        if record == known {
            return;
        }
        self.0.set(&order_key(order), &record);
        if let (None, Some(placed)) = (&known.placed, &record.placed) {
            self.add(&placed.user, &index::place(&placed.at, order));
        }
    }

    /// One order, whoever's it is.
    pub fn order(&self, order: &str) -> Option<View> {
        let record: Record = self.0.get(&order_key(order))?;
        self.join(&[(order.to_owned(), record)]).pop()
    }

    /// At most `size` of a customer's orders before a place, newest first.
    pub fn page(&self, user: &str, before: Option<&str>, size: usize) -> PageOf {
        let root = self.root(user);
        let mut places = Vec::new();
        for leaf in root.before(before) {
            let leaf = self.leaf(user, leaf);
            places.extend(leaf.before(before).map(str::to_owned));
            if places.len() > size {
                break;
            }
        }
        let is_last = places.len() <= size;
        places.truncate(size);
        let orders = places.iter().map(|place| index::order(place));
        let orders: Vec<String> = orders.map(str::to_owned).collect();
        let keys: Vec<String> = orders.iter().map(|order| order_key(order)).collect();
        let records = self.0.get_many(&keys).into_iter();
        let records = records.map(Option::unwrap_or_default);
        let next = places.pop().filter(|_| !is_last);
        let records: Vec<(String, Record)> = orders.into_iter().zip(records).collect();
        (self.join(&records), next)
    }

    /// The orders of one customer with the names of now; each name is read once.
    fn join(&self, records: &[(String, Record)]) -> Vec<View> {
        let placed = || {
            records
                .iter()
                .filter_map(|(_, record)| record.placed.as_ref())
        };
        let skus: BTreeSet<&str> = placed()
            .flat_map(|placed| placed.lines.iter().map(|line| line.sku.as_str()))
            .collect();
        let skus: Vec<&str> = skus.into_iter().collect();
        let keys: Vec<String> = skus.iter().map(|sku| Named::Product(sku).key()).collect();
        let titles: Vec<Option<Label>> = self.0.get_many(&keys);
        let title = |sku: &str| {
            let at = skus.binary_search(&sku).ok()?;
            titles.get(at)?.as_ref().map(|label| label.text.clone())
        };
        let user = placed().next().map(|placed| placed.user.as_str());
        let name: Option<Label> = user.and_then(|user| self.0.get(&Named::Customer(user).key()));
        let name = name.as_ref().map(|label| label.text.as_str());
        let views = records.iter();
        views
            .filter_map(|(order, record)| view::of(order, record, name, title))
            .collect()
    }

    fn add(&self, user: &str, place: &str) {
        let root = self.root(user);
        let leaf = root.leaf_of(place);
        let leaf = leaf.map(|leaf| self.leaf(user, leaf)).unwrap_or_default();
        let change = root.insert(leaf, place);
        for (number, leaf) in change.leaves {
            self.0.set(&leaf_key(user, number), &leaf);
        }
        if let Some(root) = change.root {
            self.0.set(&root_key(user), &root);
        }
    }

    fn root(&self, user: &str) -> Root {
        self.0.get(&root_key(user)).unwrap_or_default()
    }

    fn leaf(&self, user: &str, number: u32) -> Leaf {
        self.0.get(&leaf_key(user, number)).unwrap_or_default()
    }
}

impl Named<'_> {
    fn key(self) -> String {
        match self {
            Self::Customer(user) => format!("name/{user}"),
            Self::Product(sku) => format!("title/{sku}"),
        }
    }
}

fn order_key(order: &str) -> String {
    format!("order/{order}")
}

fn root_key(user: &str) -> String {
    format!("root/{user}")
}

fn leaf_key(user: &str, number: u32) -> String {
    format!("leaf/{user}/{number:06}")
}
