//! Components that misbehave: each gets the problem it asked for, and the host goes on serving the others.

use std::time::Duration;

use anyhow::Result;
use e2e::{Answer, Client, Host, places, redact, waiting};
use tempfile::TempDir;
use tokio::{task::JoinSet, time::Instant};

/// What a host with one hostile component may hold, whatever that does: its 32 MiB, several instances, and the host itself.
const MEMORY: u64 = 400 << 20;

struct World {
    host: Host,
    client: Client,
    data: TempDir,
}

async fn unruly() -> Result<World> {
    let data = tempfile::tempdir()?;
    let host = Host::start(&places::guest("unruly"), data.path()).await?;
    let client = host.client();
    client.get("/ok").await?.is(200)?;
    Ok(World { client, host, data })
}

impl World {
    /// The host is there, serves, and has not grown.
    async fn is_well(&mut self) -> Result<()> {
        assert!(self.host.is_alive()?);
        assert_eq!(self.client.get("/ok").await?.is(200)?.text(), "ok");
        let memory = self.host.memory()?;
        assert!(memory < MEMORY, "{} MiB", memory >> 20);
        Ok(())
    }
}

fn problem(answer: &Answer) -> Result<String> {
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{}",
        answer.text()
    );
    Ok(redact::problem(&answer.json()?))
}

#[tokio::test]
async fn a_guest_that_traps_takes_nobody_with_it() -> Result<()> {
    let mut world = unruly().await?;
    insta::assert_snapshot!(problem(&world.client.get("/trap").await?.is(500)?)?, @r#"
    {
      "code": "CALL-006",
      "detail": "the service stopped before it had an answer",
      "instance": "/trap",
      "status": 500,
      "title": "Service stopped",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/CALL-006"
    }
    "#);
    world.is_well().await
}

/// How often, and how slowly at worst, others are served while so many guests spin.
async fn meanwhile(world: &World, spinners: usize) -> Result<(u32, Duration)> {
    let start = Instant::now();
    let mut spinning = JoinSet::new();
    for _ in 0..spinners {
        let client = world.client.clone();
        spinning.spawn(async move { client.get("/spin").await });
    }
    let (mut served, mut slowest) = (0, Duration::ZERO);
    while spinning.try_join_next().is_none() {
        let began = Instant::now();
        world.client.get("/ok").await?.is(200)?;
        slowest = slowest.max(began.elapsed());
        served += 1;
    }
    let interrupted = start.elapsed();
    let deadline = Duration::from_millis(900)..Duration::from_secs(3);
    assert!(
        deadline.contains(&interrupted),
        "interrupted after {interrupted:?}"
    );
    for answer in spinning.join_all().await {
        answer?.is(504)?;
    }
    Ok((served, slowest))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_spins_is_interrupted_and_the_others_stay_quick() -> Result<()> {
    let mut world = unruly().await?;
    let (served, slowest) = meanwhile(&world, 1).await?;
    assert!(
        served > 20 && slowest < Duration::from_millis(500),
        "{served} served, at worst in {slowest:?}"
    );
    insta::assert_snapshot!(problem(&world.client.get("/spin").await?.is(504)?)?, @r#"
    {
      "code": "CALL-005",
      "detail": "the service gave no answer in time; nothing of this request was kept by it",
      "instance": "/spin",
      "status": 504,
      "title": "No answer in time",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/CALL-005"
    }
    "#);
    world.is_well().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_spinning_guests_than_cores_still_let_others_through() -> Result<()> {
    let mut world = unruly().await?;
    let (served, slowest) = meanwhile(&world, 4).await?;
    assert!(
        served >= 2 && slowest < Duration::from_secs(1),
        "{served} served, at worst in {slowest:?}"
    );
    world.is_well().await
}

#[tokio::test]
async fn a_guest_that_grows_stops_at_its_limit() -> Result<()> {
    let mut world = unruly().await?;
    insta::assert_snapshot!(problem(&world.client.get("/grow").await?.is(500)?)?, @r#"
    {
      "code": "CALL-007",
      "detail": "the service needed more memory or data than it is given",
      "instance": "/grow",
      "status": 500,
      "title": "Service over its limit",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/CALL-007"
    }
    "#);
    world
        .host
        .says("one instance may have 32 MiB of memory")
        .await?;
    for _ in 0..20 {
        // A breaker may have had enough by now.
        let status = world.client.get("/grow").await?.status;
        assert!([500, 503].contains(&status), "{status}");
    }
    assert!(world.host.is_alive()? && world.host.memory()? < MEMORY);
    Ok(())
}

#[tokio::test]
async fn a_guest_that_prints_without_end_fills_no_log() -> Result<()> {
    let mut world = unruly().await?;
    let answer = world.client.get("/flood-log").await?;
    assert!([200, 504].contains(&answer.status), "{answer:?}");
    world.is_well().await?;
    world.host.says("the guest printed too much").await?;
    let log = world.host.log();
    assert!(log.len() < 4 << 20, "{} MiB of log", log.len() >> 20);
    Ok(())
}

#[tokio::test]
async fn a_call_that_writes_too_much_writes_nothing() -> Result<()> {
    let mut world = unruly().await?;
    insta::assert_snapshot!(problem(&world.client.get("/flood-store").await?.is(500)?)?, @r#"
    {
      "code": "CALL-007",
      "detail": "the service needed more memory or data than it is given",
      "instance": "/flood-store",
      "status": 500,
      "title": "Service over its limit",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/CALL-007"
    }
    "#);
    assert_eq!(world.client.get("/stored").await?.is(200)?.text(), "0");
    world.host.says("one call may write").await?;
    world.is_well().await
}

#[tokio::test]
async fn an_answer_without_end_is_not_sent() -> Result<()> {
    let mut world = unruly().await?;
    insta::assert_snapshot!(problem(&world.client.get("/flood-body").await?.is(500)?)?, @r#"
    {
      "code": "CALL-007",
      "detail": "the service needed more memory or data than it is given",
      "instance": "/flood-body",
      "status": 500,
      "title": "Service over its limit",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/CALL-007"
    }
    "#);
    world.host.says("an answer may have 16 MiB").await?;
    world.is_well().await
}

#[tokio::test]
async fn a_call_that_publishes_too_much_publishes_nothing() -> Result<()> {
    let world = unruly().await?;
    insta::assert_snapshot!(problem(&world.client.get("/flood-events").await?.is(500)?)?, @r#"
    {
      "code": "CALL-007",
      "detail": "the service needed more memory or data than it is given",
      "instance": "/flood-events",
      "status": 500,
      "title": "Service over its limit",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/CALL-007"
    }
    "#);
    world.host.says("one call may publish").await?;
    published_once(world).await
}

#[tokio::test]
async fn a_call_that_ends_badly_has_written_and_published_nothing() -> Result<()> {
    let world = unruly().await?;
    world.client.get("/publish-and-refuse").await?.is(409)?;
    world.client.get("/publish-and-trap").await?.is(500)?;
    assert_eq!(world.client.get("/stored").await?.is(200)?.text(), "0");
    published_once(world).await
}

/// Of all that was published until now nothing is heard; what is published now is, once, also after a restart.
async fn published_once(mut world: World) -> Result<()> {
    assert_eq!(world.client.get("/heard").await?.is(200)?.text(), "0");
    world.client.get("/publish").await?.is(200)?;
    waiting::until("the message is heard", async || {
        let heard = world.client.get("/heard").await?.is(200)?.text();
        Ok((heard != "0").then_some(()))
    })
    .await?;
    world.is_well().await?;
    assert_eq!(world.host.stop().await?.code, Some(0));
    let host = Host::start(&places::guest("unruly"), world.data.path()).await?;
    assert_eq!(host.client().get("/heard").await?.is(200)?.text(), "1");
    assert_eq!(host.client().get("/stored").await?.is(200)?.text(), "1");
    Ok(())
}

#[tokio::test]
async fn the_store_of_another_cannot_be_opened() -> Result<()> {
    let mut world = unruly().await?;
    let answer = world.client.get("/other-store").await?;
    assert_eq!(answer.status, 500, "{}", answer.text());
    world.is_well().await
}

#[tokio::test]
async fn an_answer_that_is_shorter_than_it_says_is_not_sent() -> Result<()> {
    let mut world = unruly().await?;
    problem(&world.client.get("/lie").await?.is(500)?)?;
    world.is_well().await
}

#[tokio::test]
async fn headers_of_the_host_are_not_a_guest_s_to_set() -> Result<()> {
    let mut world = unruly().await?;
    let sent = [
        ("skald-principal", "usr_1"),
        ("spin-full-url", "http://elsewhere/"),
        ("x-client", "1"),
        ("te", "trailers"),
    ];
    let answer = world
        .client
        .ask(http::Method::GET, "/leak-headers", &sent, "".into())
        .await?
        .is(200)?;
    assert_eq!(answer.header("x-mine"), Some("kept"));
    assert_eq!(answer.header("trace-id").map(str::len), Some(32));
    assert_eq!(answer.headers.get_all("trace-id").iter().count(), 1);
    assert_eq!(
        answer.header("content-length"),
        Some(answer.body.len().to_string().as_str())
    );
    insta::assert_snapshot!(answer.text(), @"
    spin-base-path
    spin-client-addr
    spin-component-route
    spin-full-url
    spin-matched-route
    spin-path-info
    spin-raw-component-route
    traceparent
    x-client
    ");
    world.is_well().await
}
