//! Power cuts: whatever was acknowledged is there afterwards, and goes on to its end. Runs of sagas are among it: what was
//! under way when the power went is carried on from its journal, and no run is lost or happens twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    Client, Host, Order, Shopper,
    host::Starting,
    places,
    shopper::{GOOD, text},
    waiting,
};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::Instant};

use crate::world::{Ledger, Shop, World, all_ended, say, told_once};

/// Customers who order at the same time.
const SHOPPERS: usize = 64;

/// Acknowledged orders before the power goes: enough that all stages of the road have some.
const BEFORE: usize = 80;

/// So many more at most, so that it is not always at the same stage.
const MORE: u64 = 40;

/// What is ordered in turn: what works, what works after a while, and what does not.
pub(crate) const TURNS: [(&str, &str); 8] = [
    ("tok_ok", "IS"),
    ("tok_ok", "XX"),
    ("tok_ok", "NO"),
    ("tok_flaky", "DK"),
    ("tok_ok", "DE"),
    ("tok_declined", "SE"),
    ("tok_ok", "FI"),
    ("tok_lost_reply", "FR"),
];

/// Every so many orders, one is cancelled as soon as it is placed.
pub(crate) const CANCELLED: usize = 5;

/// A customer, and the orders that were acknowledged to them.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub(crate) shopper: Shopper,
    pub(crate) acknowledged: Vec<String>,
    /// Where in the turns they are; each begins elsewhere, so that all kinds of orders are under way at any time.
    turn: usize,
    /// How many of these they have seen end.
    pub(crate) seen: usize,
}

/// Registers customers.
pub(crate) async fn customers(world: &World) -> Result<Vec<Customer>> {
    let shoppers = world.crowd(SHOPPERS, |_| Vec::new()).await?;
    let customer = |(turn, shopper)| Customer {
        shopper,
        turn,
        acknowledged: Vec::new(),
        seen: 0,
    };
    Ok(shoppers.into_iter().enumerate().map(customer).collect())
}

/// Orders one thing after the other until the host does not answer any more.
async fn shop_until_the_lights_go_out(
    mut customer: Customer,
    skus: Arc<[String]>,
    acknowledged: Arc<AtomicUsize>,
) -> Customer {
    loop {
        customer.turn += 1;
        let (token, country) = TURNS[customer.turn % TURNS.len()];
        let sku = &skus[customer.turn % skus.len()];
        let shopper = &customer.shopper;
        if shopper.fill_cart(&[(sku, 1)]).await.is_err() {
            break;
        }
        let wanted = Order {
            token,
            country,
            ..GOOD
        };
        let Ok(answer) = shopper.place(wanted).await else {
            break;
        };
        let order = answer.json().ok().and_then(|order| text(&order, "id").ok());
        let (200 | 202, Some(order)) = (answer.status, order) else {
            continue;
        };
        acknowledged.fetch_add(1, Ordering::Relaxed);
        customer.acknowledged.push(order.clone());
        if customer.turn.is_multiple_of(CANCELLED) {
            let wish = format!("/api/v1/orders/{order}/cancellation");
            if shopper.client.post(&wish, &json!({})).await.is_err() {
                break;
            }
        }
        if customer.shopper.ended(&order).await.is_err() {
            break;
        }
        customer.seen += 1;
    }
    customer
}

/// Lets customers shop at `door`, and waits until some orders were acknowledged.
pub(crate) async fn rush(
    door: &Client,
    world: &World,
    customers: Vec<Customer>,
) -> Result<JoinSet<Customer>> {
    let skus: Arc<[String]> = world.skus().await?.into();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let chance = RandomState::new().build_hasher().finish() % MORE;
    let enough = BEFORE + usize::try_from(chance)?;
    let mut rush = JoinSet::new();
    for mut customer in customers {
        customer.shopper.client = customer.shopper.client.at(door);
        let (skus, acknowledged) = (Arc::clone(&skus), Arc::clone(&acknowledged));
        rush.spawn(shop_until_the_lights_go_out(customer, skus, acknowledged));
    }
    waiting::within(
        waiting::PATIENCE * 2,
        "orders are acknowledged",
        async || Ok((acknowledged.load(Ordering::Relaxed) >= enough).then_some(())),
    )
    .await?;
    Ok(rush)
}

/// Every run has ended, and once; the number of each component's runs about each order.
async fn runs(world: &World) -> Result<BTreeMap<(String, String), usize>> {
    let sagas = world.sagas();
    let (client, mut runs) = (sagas.client()?, BTreeMap::new());
    for row in sagas.all_ended().await? {
        let (run, standing) = (text(&row, "run")?, text(&row, "standing")?);
        ensure!(standing == "completed", "{run} is {standing}: {row}");
        let path = format!("/admin/v1/sagas/{run}");
        let story = client.get(&path).await?.is(200)?.json()?;
        let lines = story["timeline"].as_array().context("no timeline")?;
        let is_end = |line: &&Value| line["kind"] == "end";
        let ends = lines.iter().filter(is_end).count();
        let is_last = lines.last().is_some_and(|line| line["kind"] == "end");
        ensure!(ends == 1 && is_last, "{run} has {ends} ends: {story:#}");
        let about = (text(&row, "component")?, text(&row, "subject")?);
        *runs.entry(about).or_default() += 1;
    }
    Ok(runs)
}

/// Every acknowledged order is there, and every order has ended, by one run, was told of once and paid as it ended. No
/// piece is lost.
pub(crate) async fn audit(world: &World, customers: Vec<Customer>) -> Result<Ledger> {
    let mut ledger = Ledger::new();
    for customer in &customers {
        // A checkout that waits in the log for its turn has no run yet.
        let client = customer.shopper.client.at(&world.client);
        let shopper = Shopper {
            client,
            ..customer.shopper.clone()
        };
        all_ended(&shopper).await?;
    }
    let runs = runs(world).await?;
    for customer in customers {
        // Tokens are as good as before, too.
        let client = customer.shopper.client.at(&world.client);
        let (shopper, acknowledged) = (
            Shopper {
                client,
                ..customer.shopper
            },
            customer.acknowledged,
        );
        let orders = all_ended(&shopper)
            .await
            .with_context(|| shopper.id.clone())?;
        let known: BTreeSet<String> = orders
            .iter()
            .map(|order| text(order, "id"))
            .collect::<Result<_>>()?;
        for order in acknowledged {
            ensure!(
                known.contains(&order),
                "{order} was acknowledged and is lost"
            );
        }
        for order in &orders {
            ledger.enter(&shopper, order).await?;
            let about = ("checkout".to_owned(), text(order, "id")?);
            ensure!(
                runs.get(&about) == Some(&1),
                "one checkout for {order}, not {:?}",
                runs.get(&about)
            );
        }
        told_once(&shopper, &orders)
            .await
            .with_context(|| shopper.id.clone())?;
    }
    ledger.balance(&world.client, &world.skus().await?).await?;
    Ok(ledger)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_cuts_under_load_lose_nothing_that_was_acknowledged() -> Result<()> {
    let mut world = World::new().await?;
    let mut customers = customers(&world).await?;
    let start = Instant::now();
    for _ in 0..3 {
        let rush = rush(&world.client, &world, customers).await?;
        world = world.lose_power().await?;
        customers = rush.join_all().await;
    }
    let count = |number: fn(&Customer) -> usize| customers.iter().map(number).sum::<usize>();
    let (acknowledged, seen) = (count(|one| one.acknowledged.len()), count(|one| one.seen));
    assert!(
        acknowledged >= 3 * BEFORE,
        "{acknowledged} were acknowledged"
    );
    assert!(
        seen < acknowledged,
        "no order was under way when the power went"
    );
    say(&format!("three power cuts in {:?}", start.elapsed()));
    let ledger = audit(&world, customers).await?;
    say(&format!("everything has ended after {:?}", start.elapsed()));
    assert!(
        ledger.count() >= acknowledged,
        "{acknowledged} of {}",
        ledger.count()
    );
    assert!(ledger.confirmed > 0 && ledger.rejected > 0 && ledger.cancelled > 0);

    // And the shop goes on.
    let late = world.shopper("late").await?;
    late.fill_cart(&[("ale-horn", 1)]).await?;
    assert_eq!(
        late.order("tok_declined", "IS").await?["status"],
        "rejected"
    );
    Ok(())
}

#[tokio::test]
async fn a_restart_changes_nothing() -> Result<()> {
    let world = World::new().await?;
    let egil = world.shopper("egil").await?;
    egil.fill_cart(&[("ale-horn", 1)]).await?;
    let order = egil.order("tok_ok", "IS").await?;
    egil.mailbox_of(3).await?;
    egil.fill_cart(&[("bone-comb", 4)]).await?;
    let before = (
        egil.orders().await?,
        egil.cart().await?,
        egil.mailbox().await?,
        world.skus().await?,
    );

    let world = world.restart(Shop::new()).await?;
    let egil = Shopper {
        client: egil.client.at(&world.client),
        ..egil
    };
    let after = (
        egil.orders().await?,
        egil.cart().await?,
        egil.mailbox().await?,
        world.skus().await?,
    );
    assert_eq!(after, before);
    assert_eq!(world.stock("ale-horn").await?, (99, 0, 1));
    assert_eq!(egil.ended(&text(&order, "id")?).await?, order);
    let credentials = Shopper::log_in(&world.client, &egil.email).await?;
    credentials.get("/api/v1/cart").await?.is(200)?;
    Ok(())
}

#[tokio::test]
async fn a_power_cut_during_the_first_start_leaves_a_whole_shop() -> Result<()> {
    let data = tempfile::tempdir()?;
    // Each goes on with what the one before left.
    for least in [1, 40_000, 80_000] {
        let starting = Starting::new(&places::shop(), data.path(), &[])?;
        waiting::within(waiting::PATIENCE * 4, "there is some data", async || {
            let is_enough = size(data.path())? >= least || starting.host.log().contains("serving");
            Ok(is_enough.then_some(()))
        })
        .await?;
        starting.host.kill().await?;
    }
    let host = Host::start(&places::shop(), data.path()).await?;
    let world = World {
        client: host.client(),
        host,
        data,
        shop: Shop::new(),
    };
    // What the first start did not finish goes on in the background.
    let skus = waiting::until("the range is complete", async || {
        let skus = world.skus().await?;
        Ok((skus.len() >= 24).then_some(skus))
    })
    .await?;
    for sku in &skus {
        let path = format!("/api/v1/stock/{sku}");
        waiting::until(sku, async || {
            Ok((world.client.get(&path).await?.status == 200).then_some(()))
        })
        .await?;
        assert_eq!(world.stock(sku).await?, (100, 0, 0));
    }
    let egil = world.shopper("egil").await?;
    waiting::until("the cart knows the prices", async || {
        Ok(egil.fill_cart(&[("ale-horn", 1)]).await.ok())
    })
    .await?;
    assert_eq!(egil.order("tok_ok", "IS").await?["status"], "confirmed");
    Ok(())
}

/// Bytes in the files of a folder.
fn size(folder: &Path) -> Result<u64> {
    let files = fs::read_dir(folder)?;
    files.map(|file| Ok(file?.metadata()?.len())).sum()
}
