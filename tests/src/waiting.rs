//! Waiting for what happens elsewhere: asking again and again, and giving up loudly.

use std::{future::Future, time::Duration};

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

/// How long anything may take that should take a moment. Two cores may be shared by several tests.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer, for at most [`PATIENCE`].
pub async fn until<T, F>(what: &str, ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    within(PATIENCE, what, ask).await
}

/// Asks until there is an answer, for at most `patience`.
pub async fn within<T, F>(patience: Duration, what: &str, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let end = Instant::now() + patience;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() >= end {
            bail!("{what}: still not so after {patience:?}");
        }
        sleep(PAUSE).await;
    }
}
