//! What a test stands on: a host with the shop, and what has to be true of it at any time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    Client, Host, Shopper, places,
    shopper::{self, number, text},
    waiting,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{sync::Semaphore, task::JoinSet};

/// Customers who arrive at the same time.
const ARRIVING: usize = 4;

/// A shop that is open.
pub(crate) struct World {
    pub(crate) host: Host,
    pub(crate) client: Client,
    pub(crate) data: TempDir,
}

impl World {
    /// Opens a new shop.
    pub(crate) async fn new() -> Result<Self> {
        let data = tempfile::tempdir()?;
        let host = Host::start(&places::shop(), data.path()).await?;
        Ok(Self {
            client: host.client(),
            host,
            data,
        })
    }

    /// Ends the host as a power cut would, and starts another on the same data.
    pub(crate) async fn lose_power(self) -> Result<Self> {
        self.host.kill().await?;
        let host = Host::start(&places::shop(), self.data.path()).await?;
        Ok(Self {
            client: host.client(),
            host,
            data: self.data,
        })
    }

    /// A customer.
    pub(crate) async fn shopper(&self, name: &str) -> Result<Shopper> {
        Shopper::new(&self.client, name).await
    }

    /// Many customers, each with things in the cart. A few arrive at a time: each hashes a password twice, and more at
    /// once only wait for each other.
    pub(crate) async fn crowd<C>(&self, count: usize, cart: C) -> Result<Vec<Shopper>>
    where
        C: Fn(usize) -> Vec<(String, u32)>,
    {
        let door = Arc::new(Semaphore::new(ARRIVING));
        let mut arriving = JoinSet::new();
        for number in 0..count {
            let (client, door, cart) = (self.client.clone(), Arc::clone(&door), cart(number));
            arriving.spawn(async move {
                let _open = door.acquire_owned().await?;
                let shopper = Shopper::new(&client, &format!("shopper-{number}")).await?;
                let lines: Vec<_> = cart
                    .iter()
                    .map(|(sku, count)| (sku.as_str(), *count))
                    .collect();
                shopper.fill_cart(&lines).await?;
                Ok(shopper)
            });
        }
        arriving.join_all().await.into_iter().collect()
    }

    /// The SKUs of the whole range.
    pub(crate) async fn skus(&self) -> Result<Vec<String>> {
        let products = shopper::all(&self.client, "/api/v1/products?page_size=100").await?;
        products
            .iter()
            .map(|product| text(product, "sku"))
            .collect()
    }

    /// How many pieces of a SKU are (available, reserved, sold).
    pub(crate) async fn stock(&self, sku: &str) -> Result<(u64, u64, u64)> {
        let stock = shopper::stock(&self.client, sku).await?;
        Ok((
            number(&stock, "available")?,
            number(&stock, "reserved")?,
            number(&stock, "sold")?,
        ))
    }
}

/// One order as its owner and the whole shop see it.
pub(crate) struct Ledger {
    /// Pieces in confirmed orders, by SKU.
    pub(crate) sold: BTreeMap<String, u64>,
    /// How many orders were confirmed.
    pub(crate) confirmed: usize,
    /// How many were rejected.
    pub(crate) rejected: usize,
    orders: BTreeSet<String>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            sold: BTreeMap::new(),
            confirmed: 0,
            rejected: 0,
            orders: BTreeSet::new(),
        }
    }

    /// Takes down an order that has ended, and checks what was charged for it.
    pub(crate) async fn enter(&mut self, shopper: &Shopper, order: &Value) -> Result<()> {
        let id = text(order, "id")?;
        let payment = shopper.payment(&id).await?;
        let total = number(order.get("total").context("no total")?, "amount")?;
        let [authorised, captured, voided, refunded] =
            ["authorised", "captured", "voided", "refunded"].map(|name| number(&payment, name));
        let (authorised, captured) = (authorised?, captured?);
        ensure!(
            authorised == captured + voided?,
            "money is left hanging: {payment}"
        );
        ensure!(refunded? == 0, "{id}: {payment}");
        match text(order, "status")?.as_str() {
            "confirmed" => {
                ensure!(
                    captured == total,
                    "{id} is confirmed at {total} and paid so: {payment}"
                );
                self.confirmed += 1;
                for line in order
                    .get("lines")
                    .and_then(Value::as_array)
                    .context("no lines")?
                {
                    *self.sold.entry(text(line, "sku")?).or_default() += number(line, "quantity")?;
                }
            }
            "rejected" => {
                ensure!(captured == 0, "{id} is rejected and paid: {payment}");
                self.rejected += 1;
            }
            other => anyhow::bail!("{id} has not ended: {other}"),
        }
        ensure!(self.orders.insert(id.clone()), "{id} was met twice");
        Ok(())
    }

    /// Checks the shelves against what was sold; nothing is reserved for orders that have ended.
    pub(crate) async fn balance(&self, client: &Client, skus: &[String]) -> Result<()> {
        for sku in skus {
            let stock = shopper::stock(client, sku).await?;
            let sold = self.sold.get(sku).copied().unwrap_or_default();
            ensure!(
                number(&stock, "reserved")? == 0,
                "all orders have ended: {stock}"
            );
            ensure!(
                number(&stock, "sold")? == sold,
                "{sold} pieces are in confirmed orders: {stock}"
            );
        }
        Ok(())
    }

    pub(crate) fn count(&self) -> usize {
        self.orders.len()
    }
}

/// Waits until the customer was told everything about these orders, and checks that they were told each thing once.
pub(crate) async fn told_once(shopper: &Shopper, orders: &[Value]) -> Result<()> {
    // One for the registration, and for each order one when it was placed and one when it ended.
    let mailbox = shopper.mailbox_of(1 + 2 * orders.len()).await?;
    let mut told: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in &mailbox {
        let (kind, words) = (text(entry, "kind")?, text(entry, "text")?);
        let order = words
            .split([' ', ':'])
            .find(|word| word.starts_with("ord_"))
            .unwrap_or_default();
        *told.entry((order.to_owned(), kind)).or_default() += 1;
    }
    let mut expected = BTreeMap::from([((String::new(), "user-registered".to_owned()), 1)]);
    for order in orders {
        let (id, status) = (text(order, "id")?, text(order, "status")?);
        expected.insert((id.clone(), "order-placed".to_owned()), 1);
        expected.insert((id, format!("order-{status}")), 1);
    }
    ensure!(told == expected, "expected {expected:#?}, told {told:#?}");
    Ok(())
}

/// All orders of a customer once each has ended.
pub(crate) async fn all_ended(shopper: &Shopper) -> Result<Vec<Value>> {
    waiting::within(waiting::PATIENCE * 2, "all orders have ended", async || {
        let orders = shopper.orders().await?;
        let pending = orders
            .iter()
            .any(|order| order.get("status").and_then(Value::as_str) == Some("pending"));
        Ok((!pending).then_some(orders))
    })
    .await
}

/// Something worth knowing about a long test.
#[expect(clippy::print_stderr, reason = "how long it took is worth knowing")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
