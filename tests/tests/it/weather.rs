//! Bad weather between the shop and its Redis: it is slow, it is not heard, it is full, or it has forgotten. Customers do
//! not give up meanwhile, and ask again under the same key.

mod failover;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use e2e::{
    Answer, Client, Order, Shopper,
    shopper::{GOOD, body, new_key, text},
    waiting,
};
use http::Method;
use serde_json::{Value, json};
use test_redis::{Options, Proxy, Server};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    durability::{CANCELLED, Customer, TURNS, customers},
    nodes::{LEASE, all_is_right},
    world::{Shop, World, say},
};

/// Between two attempts of a customer.
const PAUSE: Duration = Duration::from_millis(100);

/// How often a customer asks once the weather is fine again.
const LAST_ATTEMPTS: usize = 50;

/// Acknowledged orders that show that the shop is at work.
const SOME: usize = 30;

/// A Redis, a line to it, and a shop at its end.
struct Coast {
    redis: Server,
    line: Proxy,
    world: World,
}

/// Customers who order one thing after the other, whatever comes, until they are told that it is over.
struct Rain {
    sky: Arc<Sky>,
    customers: JoinSet<Customer>,
}

/// What all customers see.
struct Sky {
    skus: Vec<String>,
    is_over: AtomicBool,
    acknowledged: AtomicUsize,
    /// How often orders were refused for now, and how.
    refused: Mutex<BTreeMap<u16, usize>>,
    /// What else they were answered.
    odd: Mutex<BTreeMap<String, usize>>,
}

/// What a customer asks until there is an answer.
struct Wish {
    method: Method,
    path: String,
    key: Option<String>,
    body: Bytes,
}

// === impl Coast ===

impl Coast {
    async fn new() -> Result<Self> {
        let redis = Server::start(Options::default())?;
        let line = Proxy::start(redis.address())?;
        let shop = Shop::new().with_args(&["--redis", &line.url()]);
        let world = World::open(shop, tempfile::tempdir()?).await?;
        Ok(Self { redis, line, world })
    }

    /// Customers at the only door there is.
    async fn rain(&self) -> Result<Rain> {
        let customers = customers(&self.world).await?;
        let rain = Rain::new(&self.world, &self.world.client, customers).await?;
        rain.orders(SOME).await?;
        Ok(rain)
    }
}

// === impl Rain ===

impl Rain {
    async fn new(world: &World, door: &Client, customers: Vec<Customer>) -> Result<Self> {
        let sky = Arc::new(Sky {
            skus: world.skus().await?,
            is_over: AtomicBool::new(false),
            acknowledged: AtomicUsize::new(0),
            refused: Mutex::default(),
            odd: Mutex::default(),
        });
        let mut rain = JoinSet::new();
        for (first, mut customer) in customers.into_iter().enumerate() {
            customer.shopper.client = customer.shopper.client.at(door);
            let sky = Arc::clone(&sky);
            rain.spawn(sky.shop(customer, first));
        }
        Ok(Self {
            sky,
            customers: rain,
        })
    }

    fn acknowledged(&self) -> usize {
        self.sky.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until so many more orders are acknowledged.
    async fn orders(&self, count: usize) -> Result<()> {
        let enough = self.acknowledged() + count;
        waiting::until("orders are acknowledged", async || {
            Ok((self.acknowledged() >= enough).then_some(()))
        })
        .await
    }

    fn refused(&self) -> BTreeMap<u16, usize> {
        lock(&self.sky.refused).clone()
    }

    /// Waits until so many more attempts are refused.
    async fn refusals(&self, count: usize) -> Result<()> {
        let sum = || self.refused().values().sum::<usize>();
        let enough = sum() + count;
        waiting::until("orders are refused", async || {
            Ok((sum() >= enough).then_some(()))
        })
        .await
    }

    /// Lets every customer finish.
    async fn over(self) -> Result<Vec<Customer>> {
        self.sky.is_over.store(true, Ordering::Relaxed);
        let customers = self.customers.join_all().await;
        let (refused, odd) = (lock(&self.sky.refused), lock(&self.sky.odd));
        say(&format!("refused: {refused:?}, odd: {odd:?}"));
        let is_known = |status: &u16| [503, 504].contains(status);
        ensure!(refused.keys().all(is_known), "{refused:?}");
        Ok(customers)
    }
}

// === impl Sky ===

impl Sky {
    async fn shop(self: Arc<Self>, mut customer: Customer, first: usize) -> Customer {
        let mut turn = first;
        while !self.is_over.load(Ordering::Relaxed) {
            turn += 1;
            let shopper = &customer.shopper;
            let Some(order) = self.order(shopper, turn).await else {
                continue;
            };
            customer.acknowledged.push(order.clone());
            if turn.is_multiple_of(CANCELLED) {
                let wish = format!("/api/v1/orders/{order}/cancellation");
                let wish = Wish::new(Method::POST, wish, &json!({}));
                self.insist(&shopper.client, wish).await;
            }
            // This answer says that one is to ask again later while the order has not ended.
            let look = Wish::new(Method::GET, format!("/api/v1/orders/{order}"), &Value::Null);
            if self.insist(&shopper.client, look).await.is_some() {
                customer.seen += 1;
            }
        }
        customer
    }

    /// Orders something; its name, if it was acknowledged.
    async fn order(&self, shopper: &Shopper, turn: usize) -> Option<String> {
        let (token, country) = TURNS.get(turn % TURNS.len())?;
        let sku = self.skus.get(turn % self.skus.len())?;
        let cart = format!("/api/v1/cart/items/{sku}");
        let fill = Wish::new(Method::PUT, cart, &json!({"quantity": 1}));
        let filled = self.insist(&shopper.client, fill).await?;
        if filled.status != 200 {
            self.note(&filled);
            return None;
        }
        let wanted = Order {
            token,
            country,
            ..GOOD
        };
        let mut place = Wish::new(Method::POST, "/api/v1/orders".to_owned(), &body(wanted));
        place.key = Some(new_key());
        let placed = self.insist(&shopper.client, place).await?;
        let order = placed.json().ok().and_then(|order| text(&order, "id").ok());
        let (200 | 202, Some(order)) = (placed.status, order) else {
            self.note(&placed);
            return None;
        };
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        Some(order)
    }

    /// Asks until there is an answer that stands.
    async fn insist(&self, client: &Client, wish: Wish) -> Option<Answer> {
        let key = wish.key.as_deref().map(|key| ("idempotency-key", key));
        let headers: Vec<_> = key.into_iter().collect();
        let mut left = LAST_ATTEMPTS;
        while left > 0 {
            if self.is_over.load(Ordering::Relaxed) {
                left -= 1;
            }
            let body = wish.body.clone();
            match client
                .ask(wish.method.clone(), &wish.path, &headers, body)
                .await
            {
                // The host is gone.
                Err(_) if self.is_over.load(Ordering::Relaxed) => return None,
                Err(_) => {}
                Ok(answer) if answer.status >= 500 => {
                    *lock(&self.refused).entry(answer.status).or_default() += 1;
                }
                // It is being done still; who has placed an order, though, has placed it.
                Ok(answer) if answer.status != 202 && answer.header("retry-after").is_some() => {}
                Ok(answer) => return Some(answer),
            }
            sleep(PAUSE).await;
        }
        None
    }

    fn note(&self, answer: &Answer) {
        let kind = answer
            .json()
            .ok()
            .and_then(|problem| text(&problem, "type").ok());
        let kind = kind.unwrap_or_else(|| answer.text());
        *lock(&self.odd).entry(kind).or_default() += 1;
    }
}

// === impl Wish ===

impl Wish {
    /// With this body, if it is any.
    fn new(method: Method, path: String, body: &Value) -> Self {
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        Self {
            method,
            path,
            key: None,
            body,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_redis_makes_a_slow_shop_and_nothing_worse() -> Result<()> {
    let coast = Coast::new().await?;
    let rain = coast.rain().await?;
    coast.line.delay(Duration::from_millis(50));
    let start = Instant::now();
    rain.orders(SOME).await?;
    sleep(Duration::from_secs(5).saturating_sub(start.elapsed())).await;
    coast.line.delay(Duration::ZERO);
    rain.orders(SOME).await?;
    let customers = rain.over().await?;
    all_is_right(&coast.world, customers).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_breaks_in_the_middle_of_commits_halves_and_doubles_nothing() -> Result<()> {
    let coast = Coast::new().await?;
    let rain = coast.rain().await?;
    for round in 1..=40 {
        if round % 2 == 0 {
            coast.line.swallow_reply_to("EVALSHA");
        } else {
            coast.line.break_request("EVALSHA", 40 + 10 * round);
        }
        waiting::until("the line has broken", async || {
            Ok((coast.line.done() >= round).then_some(()))
        })
        .await?;
    }
    rain.orders(SOME).await?;
    let customers = rain.over().await?;
    all_is_right(&coast.world, customers).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_redis_does_not_hear_leaves_its_runs_to_others() -> Result<()> {
    let coast = Coast::new().await?;
    let second_line = Proxy::start(coast.redis.address())?;
    let data = tempfile::tempdir()?;
    let shop = Shop::new().with_args(&["--redis", &second_line.url()]);
    let second = shop.start(&data).await?;
    let mut here = customers(&coast.world).await?;
    let there = here.split_off(here.len() / 2);
    let names: Vec<Shopper> = there.iter().map(|one| one.shopper.clone()).collect();
    let here = Rain::new(&coast.world, &coast.world.client, here).await?;
    let there = Rain::new(&coast.world, &second.client(), there).await?;
    here.orders(SOME).await?;
    there.orders(SOME).await?;

    second_line.hold();
    sleep(LEASE * 2).await;
    // The first node does what the second cannot do any more.
    here.orders(SOME).await?;
    for shopper in names {
        crate::world::all_ended(&shopper).await?;
    }
    let before = there.acknowledged();
    second_line.mend();
    there.orders(SOME).await?;
    say(&format!("{before} were acknowledged there before"));

    let mut customers = here.over().await?;
    customers.extend(there.over().await?);
    all_is_right(&coast.world, customers).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_without_memory_refuses_orders_and_does_nothing_by_halves() -> Result<()> {
    let coast = Coast::new().await?;
    let rain = coast.rain().await?;
    let limit = |memory| coast.redis.ask(&["CONFIG", "SET", "maxmemory", memory]);
    limit("1mb")?;
    rain.refusals(SOME).await?;
    let taken = rain.acknowledged();
    rain.refusals(4 * SOME).await?;
    ensure!(
        rain.acknowledged() == taken,
        "an order was taken in no memory"
    );
    ensure!(rain.refused().keys().eq(&[503]), "{:?}", rain.refused());
    limit("0")?;
    rain.orders(SOME).await?;
    let customers = rain.over().await?;
    all_is_right(&coast.world, customers).await?;
    Ok(())
}

/// Leaves of the customers' acknowledged orders those that are there still; how many are not.
async fn forget(world: &World, customers: &mut [Customer]) -> Result<usize> {
    let mut lost = 0;
    for customer in customers {
        let shopper = Shopper {
            client: customer.shopper.client.at(&world.client),
            ..customer.shopper.clone()
        };
        let orders = shopper.orders().await?;
        let known: Result<Vec<String>> = orders.iter().map(|order| text(order, "id")).collect();
        let (known, before) = (known?, customer.acknowledged.len());
        customer.acknowledged.retain(|order| known.contains(order));
        lost += before - customer.acknowledged.len();
    }
    Ok(lost)
}

/// Waits until every run has ended or is parked; those that are parked.
async fn parked(world: &World) -> Result<Vec<Value>> {
    let sagas = world.sagas();
    let under_way = ["--standing", "running", "--standing", "rolling-back"];
    let settled = waiting::until("runs have ended or are parked", async || {
        Ok(sagas.list(&under_way).await?.is_empty().then_some(()))
    });
    if let Err(error) = settled.await {
        for run in sagas.list(&under_way).await? {
            say(&sagas.say(&["show", &text(&run, "run")?]).await?);
        }
        return Err(error);
    }
    sagas.list(&["--standing", "parked"]).await
}

/// Does what a person does after a failover; how many runs had got further than their journals.
async fn look_at_the_parked(world: &World) -> Result<usize> {
    let (sagas, mut regressed) = (world.sagas(), 0);
    for run in parked(world).await? {
        let run = text(&run, "run")?;
        let why = sagas.say(&["why", &run]).await?;
        if why.contains("the store has lost the end of the journal") {
            // All that the steps did is in the same Redis, so nothing of it is left either.
            sagas.say(&["retry", &run]).await?;
            regressed += 1;
        } else {
            // It was under way in the host when its order was lost, and cannot reject what is not there.
            ensure!(why.contains("refused: unknown-order"), "{why}");
            let skip = ["skip", &run, "--why", "the order is lost"];
            sagas.say(&skip).await?;
            sagas.stands(&run, "rolled-back").await?;
            // It is about nothing: no order asks for a run of its own that has ended well.
            sagas.say(&["purge", &run]).await?;
        }
    }
    Ok(regressed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_lags_loses_orders_and_doubles_none() -> Result<()> {
    let coast = Coast::new().await?;
    let rain = coast.rain().await?;
    let mut replica = coast.redis.replica(Options::default())?;
    rain.orders(SOME).await?;
    replica.promote()?;
    // All of these are acknowledged, and lost.
    rain.orders(2 * SOME).await?;
    coast.world.host.kill().await?;
    let customers = rain.over().await?;
    coast.line.lead_to(replica.address());
    let world = World::open(coast.world.shop, coast.world.data).await?;

    let rain = Rain::new(&world, &world.client, customers).await?;
    rain.orders(SOME).await?;
    let mut customers = rain.over().await?;
    let regressed = look_at_the_parked(&world).await?;
    let lost = forget(&world, &mut customers).await?;
    say(&format!(
        "{lost} orders were lost, {regressed} runs had got further"
    ));
    ensure!(lost > 0 && regressed > 0, "the replica did not lag");
    all_is_right(&world, customers).await?;
    Ok(())
}
