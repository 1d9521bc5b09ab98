//! What has to be tried: what a user may do, whether scripts run, and how long things take.

use std::time::Duration;

use redis::{RedisResult, Value};
use tokio::time::Instant;

use super::{Finding, Stake};
use crate::redis::{
    config::Config,
    keys::Keys,
    link::{Failure, Link},
    script::{Lazy, Script},
};

static RIGHTS: Lazy = Lazy::new(|| Script::writing(include_str!("rights.lua")));

/// The place of the keys that are tried. Nobody else has keys there.
const PLACE: &str = "$doctor";

/// A channel that nobody listens to, by a name that is no application's.
const ANY_CHANNEL: &str = "doctor.probe.v1";

/// How often is asked.
const PINGS: usize = 100;
const WRITES: usize = 50;

/// From where on an answer is slow. A call of a component reads some values, one after the other, and has ten seconds.
const SLOW_ANSWER: Duration = Duration::from_millis(20);

/// From where on a durable write is slow: each commit waits for one.
const SLOW_WRITE: Duration = Duration::from_millis(100);

pub(super) async fn probe(link: &Link, config: &Config) -> Vec<Finding> {
    let keys = Keys::new(&config.application);
    let place = keys.place(PLACE);
    let mut findings = vec![rights(link, &place, &keys.own_channel()).await];
    findings.push(answers(link).await);
    findings.push(writes(link, &place).await);
    findings
}

/// How servers say that a user may not, or that they do not know a command.
const REFUSALS: [&str; 3] = ["executing the script", "ACL failure", "nknown"];

/// Scripts are all that writes; so they are run, and try each command as the user.
async fn rights(link: &Link, place: &str, channel: &str) -> Finding {
    const CHECK: &str = "rights";
    const ALL: &str =
        "ACL SETUSER … ~skald:* &* +@all -@admin -@dangerous +info +config|get +cluster";
    let channel = format!("{channel}:doctor");
    let call = RIGHTS.on(&[place]).arg(&channel).arg(ANY_CHANNEL);
    let failed: Vec<String> = match link.call(call).await {
        Ok(failed) => failed,
        Err(failure) => {
            let failure: Failure = failure;
            return Finding::new(CHECK, format!("scripts do not run: {}", failure.text))
                .unusable("Nothing can be committed.", ALL);
        }
    };
    if let Some(finding) = refused(&failed, ALL) {
        return finding;
    }
    match subscribe(link, &channel).await {
        Ok(()) => Finding::new(CHECK, "scripts run, and may use all commands they need"),
        Err(error) => Finding::new(CHECK, format!("SUBSCRIBE: {error}")).weak(
            Stake::Service,
            "What others publish on channels is not heard, and events of other nodes are heard late.",
            ALL,
        ),
    }
}

/// What commands that failed mean. A script that is refused a command stops there, and what it wrote before stays.
fn refused(failed: &[String], fix: &'static str) -> Option<Finding> {
    const CHECK: &str = "rights";
    const RISK: &str = "Commits that come to these commands stop half-way.";
    let refused: Vec<_> = failed
        .iter()
        .filter(|why| REFUSALS.iter().any(|words| why.contains(words)))
        .filter_map(|why| why.split_once(':'))
        .map(|(command, _)| command)
        .collect();
    match (refused.as_slice(), failed) {
        ([], []) => None,
        ([], _) => Some(
            Finding::new(CHECK, failed.join("; ")).unusable(RISK, "install Redis 7.0 or newer"),
        ),
        (["PUBLISH on any channel"], _) => Some(
            Finding::new(CHECK, "may publish on some channels only").weak(
                Stake::Data,
                "A commit with an event whose topic is none of them stops half-way.",
                "ACL SETUSER … &*, or &TOPIC for each topic of the application",
            ),
        ),
        (refused, _) => Some(
            Finding::new(CHECK, format!("refused: {}", refused.join(", "))).unusable(RISK, fix),
        ),
    }
}

async fn subscribe(link: &Link, channel: &str) -> RedisResult<()> {
    let client = link.client().await?;
    client.get_async_pubsub().await?.subscribe(channel).await
}

async fn answers(link: &Link) -> Finding {
    const CHECK: &str = "latency of answers";
    let mut times = Vec::new();
    for _ in 0..PINGS {
        let start = Instant::now();
        let answer: Result<Value, Failure> = link.ask(&redis::cmd("PING")).await;
        if let Err(failure) = answer {
            return silent(CHECK, &failure);
        }
        times.push(start.elapsed());
    }
    judged(
        CHECK,
        times,
        SLOW_ANSWER,
        "Each read of a component waits so long.",
    )
}

async fn writes(link: &Link, place: &str) -> Finding {
    const CHECK: &str = "latency of writes";
    let key = format!("{place}:text");
    let mut times = Vec::new();
    for write in 0..WRITES {
        let start = Instant::now();
        let answer: Result<Value, Failure> = link.ask(redis::cmd("SET").arg(&key).arg(write)).await;
        if let Err(failure) = answer {
            return silent(CHECK, &failure);
        }
        times.push(start.elapsed());
    }
    let gone: Result<Value, Failure> = link.ask(redis::cmd("DEL").arg(&key)).await;
    if let Err(failure) = gone {
        return silent(CHECK, &failure);
    }
    judged(
        CHECK,
        times,
        SLOW_WRITE,
        "Each commit waits so long for the disk.",
    )
}

fn silent(check: &'static str, failure: &Failure) -> Finding {
    Finding::new(check, failure.text.clone())
        .unusable("It fails while it is asked.", "its log says what is wrong")
}

fn judged(check: &'static str, mut times: Vec<Duration>, slow: Duration, risk: &str) -> Finding {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(place).copied().unwrap_or_default()
    };
    let written = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1_000.0);
    let (half, most) = (at(50), at(99));
    let found = format!(
        "half within {}, 99 % within {}",
        written(half),
        written(most)
    );
    let finding = Finding::new(check, found);
    if most <= slow {
        finding
    } else {
        finding.weak(
            Stake::Service,
            risk,
            "move it closer, give it a faster disk, or find who else keeps it busy (SLOWLOG GET, LATENCY DOCTOR)",
        )
    }
}
