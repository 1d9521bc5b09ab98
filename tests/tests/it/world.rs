//! What a test stands on: a host with the shop, and what has to be true of it at any time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::Arc,
};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    Client, Host, Sagas, Shopper, places,
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
    /// What it runs, and with which arguments.
    pub(crate) shop: Shop,
}

/// How a shop is set up.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) manifest: PathBuf,
    args: Vec<String>,
    /// Where the manifest is, if it is another than everybody's.
    folder: Option<Arc<TempDir>>,
}

impl World {
    /// Opens a new shop.
    pub(crate) async fn new() -> Result<Self> {
        Self::open(Shop::new(), tempfile::tempdir()?).await
    }

    /// Opens a shop that is set up so, on this data.
    pub(crate) async fn open(shop: Shop, data: TempDir) -> Result<Self> {
        let host = shop.start(&data).await?;
        Ok(Self {
            client: host.client(),
            host,
            data,
            shop,
        })
    }

    /// Ends the host as a power cut would, and starts another on the same data.
    pub(crate) async fn lose_power(self) -> Result<Self> {
        self.host.kill().await?;
        Self::open(self.shop, self.data).await
    }

    /// Stops the host in good order, and starts it again as `shop` says.
    pub(crate) async fn restart(self, shop: Shop) -> Result<Self> {
        let ended = self.host.stop().await?;
        ensure!(ended.code == Some(0), "{}", ended.log);
        Self::open(shop, self.data).await
    }

    /// The runs of the shop's sagas.
    pub(crate) fn sagas(&self) -> Sagas {
        Sagas::new(&self.shop.manifest, self.data.path())
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

impl Shop {
    /// As everybody runs it.
    pub(crate) fn new() -> Self {
        Self {
            manifest: places::shop(),
            args: Vec::new(),
            folder: None,
        }
    }

    /// With a variable set.
    pub(crate) fn with_variable(mut self, assignment: &str) -> Self {
        self.args
            .extend(["--variable".to_owned(), assignment.to_owned()]);
        self
    }

    /// With a manifest in which something is replaced.
    pub(crate) fn with_manifest(mut self, from: &str, to: &str) -> Result<Self> {
        let text = fs::read_to_string(&self.manifest)?;
        ensure!(text.contains(from), "{from:?} is not in the manifest");
        let folder = tempfile::tempdir()?;
        let target = format!("source = \"{}/target/", places::workspace().display());
        let text = text
            .replace(from, to)
            .replace("source = \"target/", &target);
        self.manifest = folder.path().join("spin.toml");
        fs::write(&self.manifest, text)?;
        self.folder = Some(Arc::new(folder));
        Ok(self)
    }

    /// With more arguments.
    pub(crate) fn with_args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(ToString::to_string));
        self
    }

    /// Starts a host so.
    pub(crate) async fn start(&self, data: &TempDir) -> Result<Host> {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        Host::start_with(&self.manifest, data.path(), &args).await
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
    /// How many were cancelled.
    pub(crate) cancelled: usize,
    orders: BTreeSet<String>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            sold: BTreeMap::new(),
            confirmed: 0,
            rejected: 0,
            cancelled: 0,
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
        let (authorised, captured, refunded) = (authorised?, captured?, refunded?);
        ensure!(
            authorised == captured + voided?,
            "money is left hanging: {payment}"
        );
        let status = text(order, "status")?;
        let is_on_its_way = is_on_its_way(shopper, &id).await?;
        ensure!(
            is_on_its_way == (status == "confirmed"),
            "{id} is {status}, and its parcel is on its way: {is_on_its_way}"
        );
        let kept = captured - refunded;
        match status.as_str() {
            "confirmed" => {
                let is_returned = history(order)?.iter().any(|event| event == "returned");
                ensure!(
                    captured == total && kept == if is_returned { 0 } else { total },
                    "{id} is confirmed at {total} and paid so: {payment}"
                );
                self.confirmed += 1;
                let lines = order.get("lines").and_then(Value::as_array);
                let lines = lines.context("no lines")?.iter();
                for line in lines.filter(|_| !is_returned) {
                    *self.sold.entry(text(line, "sku")?).or_default() += number(line, "quantity")?;
                }
            }
            "rejected" => {
                ensure!(captured == 0, "{id} is rejected and paid: {payment}");
                self.rejected += 1;
            }
            "cancelled" => {
                ensure!(kept == 0, "{id} is cancelled and paid: {payment}");
                self.cancelled += 1;
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

/// Whether a parcel of the order has left, or will.
async fn is_on_its_way(shopper: &Shopper, order: &str) -> Result<bool> {
    let path = format!("/api/v1/orders/{order}/shipment");
    let answer = shopper.client.get(&path).await?;
    if answer.status == 404 {
        return Ok(false);
    }
    Ok(text(&answer.is(200)?.json()?, "status")? != "cancelled")
}

/// What has happened to an order, in its history's words.
pub(crate) fn history(order: &Value) -> Result<Vec<String>> {
    let history = order.get("history").and_then(Value::as_array);
    let events = history.context("no history")?.iter();
    events.map(|entry| text(entry, "event")).collect()
}

/// Waits until the customer was told everything about these orders, and checks that they were told each thing once.
pub(crate) async fn told_once(shopper: &Shopper, orders: &[Value]) -> Result<()> {
    let mut expected = BTreeMap::from([((String::new(), "user-registered".to_owned()), 1)]);
    for order in orders {
        let id = text(order, "id")?;
        for event in history(order)? {
            let kind = match event.as_str() {
                "placed" | "confirmed" | "rejected" | "cancelled" | "returned" => {
                    format!("order-{event}")
                }
                _ => event,
            };
            expected.insert((id.clone(), kind), 1);
        }
    }
    let mailbox = shopper.mailbox_of(expected.len()).await?;
    let mut told: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in &mailbox {
        let (kind, words) = (text(entry, "kind")?, text(entry, "text")?);
        let order = words
            .split([' ', ':', '.', ';'])
            .find(|word| word.starts_with("ord_"))
            .unwrap_or_default();
        *told.entry((order.to_owned(), kind)).or_default() += 1;
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
