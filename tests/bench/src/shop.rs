//! The whole shop: how fast it starts, what it holds on to after work, and how large the program is.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result, ensure};
use e2e::{Client, Order, Shopper, shopper};
use futures_util::future::try_join_all;
use tempfile::tempdir;
use tokio::{
    runtime,
    time::{Instant, sleep},
};

use crate::{
    report::{Goal, Line, Report},
    running::Running,
    sample::Sample,
};

/// Starts with a warm cache, each on new data, which is the slower case: the shop is laid out first.
const STARTS: u32 = 5;

/// Customers who order at the same time. Each has one cart, and so one order under way.
const CUSTOMERS: usize = 20;

/// Orders of each.
const ORDERS: usize = 50;

/// How long a host is left alone before its memory is read: longer than idle instances are kept.
const REST: Duration = Duration::from_secs(5);

/// Starts it, works it, reads it, and reports.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (data, cache) = (tempdir()?, tempdir()?);
        let cold = Running::start(&data.path().join("cold"), cache.path())
            .await?
            .took;
        let mut starts = Sample::default();
        let mut last = None;
        for start in 0..STARTS {
            drop(last.take());
            let running =
                Running::start(&data.path().join(start.to_string()), cache.path()).await?;
            starts.add(running.took.as_secs_f64() * 1e3);
            last = Some(running);
        }
        let running = last.context("it was started at least once")?;
        let note = format!("with an empty cache: {:.1} s", cold.as_secs_f64());
        let goal = Goal::Below {
            value: starts.median(),
            most: 1_000.0,
            unit: "ms",
        };
        let figure = format!("{:.0} ms", starts.median());
        report.add(
            Line::new("shop: start to first answer", figure)
                .spread(starts.spread())
                .goal(goal)
                .notes(note),
        );
        work(&running, report).await
    })?;
    size(report)
}

async fn work(running: &Running, report: &mut Report) -> Result<()> {
    let before = running.memory()?;
    let skus = &skus(&running.client).await?;
    let start = Instant::now();
    let ordered =
        try_join_all((0..CUSTOMERS).map(|customer| order(&running.client, customer, skus)));
    let confirmed: usize = ordered.await?.into_iter().sum();
    let took = start.elapsed();
    ensure!(
        confirmed == CUSTOMERS * ORDERS,
        "only {confirmed} orders were confirmed"
    );
    let busy = running.memory()?;
    sleep(REST).await;
    let idle = megabytes(running.memory()?);
    let goal = Goal::Below {
        value: idle,
        most: 200.0,
        unit: "MB",
    };
    let note = format!(
        "{confirmed} orders in {:.1} s; before them {:.0} MB, right after {:.0} MB",
        took.as_secs_f64(),
        megabytes(before),
        megabytes(busy)
    );
    report.add(
        Line::new("shop: memory, idle after orders", format!("{idle:.0} MB"))
            .goal(goal)
            .notes(note),
    );
    Ok(())
}

async fn skus(client: &Client) -> Result<Vec<String>> {
    let products = shopper::all(client, "/api/v1/products?page_size=100").await?;
    products
        .iter()
        .map(|product| shopper::text(product, "sku"))
        .collect()
}

/// One customer's orders, one after the other; answers with how many of them were confirmed.
async fn order(client: &Client, customer: usize, skus: &[String]) -> Result<usize> {
    let shopper = Shopper::new(client, &format!("customer{customer}")).await?;
    let mut confirmed = 0;
    for number in 0..ORDERS {
        // Evenly over all products, so that none is sold out.
        let sku = skus
            .get((customer * ORDERS + number) % skus.len())
            .context("nothing is sold")?;
        shopper.fill_cart(&[(sku, 1)]).await?;
        let placed = shopper
            .place(Order {
                prefer: Some("wait=5"),
                ..shopper::GOOD
            })
            .await?;
        let id = shopper::text(&placed.json()?, "id").with_context(|| placed.text())?;
        let ended = shopper.ended(&id).await?;
        confirmed += usize::from(shopper::text(&ended, "status")? == "confirmed");
    }
    Ok(confirmed)
}

fn size(report: &mut Report) -> Result<()> {
    let program = e2e::places::program();
    let size = megabytes(
        fs::metadata(&program)
            .with_context(|| program.display().to_string())?
            .len(),
    );
    let goal = Goal::Below {
        value: size,
        most: 60.0,
        unit: "MB",
    };
    report.add(Line::new("shop: size of the program", format!("{size:.1} MB")).goal(goal));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
