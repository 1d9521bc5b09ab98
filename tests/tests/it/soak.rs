//! Sagas under kills, in a short form; `cargo xtask soak` is the long one. The guests are "saga-soak" and
//! "soak-counters".

use std::time::Duration;

use anyhow::Result;
use e2e::soak::Soak;

use crate::world::say;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sagas_do_each_thing_once_while_the_host_is_killed() -> Result<()> {
    let soak = Soak {
        seed: 1,
        lasts: Duration::from_secs(8),
        life: Duration::from_millis(2_500),
        patience: Duration::from_secs(60),
    };
    let done = soak.run(say).await?;
    say(&format!("{done:?}"));
    assert!(done.kills >= 3, "{done:?}");
    let verdict = done.verdict;
    assert!(verdict.completed > 0 && verdict.rolled_back > 0, "{done:?}");
    Ok(())
}
