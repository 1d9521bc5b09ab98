//! The soak for as long as one likes: `cargo xtask soak`.

use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use e2e::soak::Soak;

/// Kills the host again and again while sagas do whatever they can, and compares what came of them with a model.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask soak")]
struct Cli {
    /// How long runs are begun.
    #[arg(long, default_value_t = 10)]
    minutes: u64,

    /// What everything is drawn from; without it the time of day.
    #[arg(long)]
    seed: Option<u64>,

    /// How long a host lives, give or take a half.
    #[arg(long, default_value_t = 4)]
    life_seconds: u64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let soak = Soak {
        seed: cli.seed.unwrap_or_else(some_seed),
        lasts: Duration::from_secs(cli.minutes * 60),
        life: Duration::from_secs(cli.life_seconds),
        patience: Duration::from_secs(120),
    };
    let done = soak.run(say).await?;
    say(&format!("as it should be: {done:?}"));
    Ok(())
}

#[expect(
    clippy::print_stderr,
    reason = "a chore talks to the person who ran it"
)]
fn say(text: &str) {
    eprintln!("{text}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that is to differ from run to run"
)]
fn some_seed() -> u64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
