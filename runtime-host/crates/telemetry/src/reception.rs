//! Lets connections in, each as a task of its own, until told to stop.

use std::{io, pin, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use crate::tasks::{Shutdown, Tasks};

/// A pause after a failed accept: the usual reason is that no file descriptor is free, and asking at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How a listener's connections are let in.
#[derive(Clone, Copy, Debug)]
pub struct Reception {
    /// What the task of a connection is called.
    pub name: &'static str,
    /// What the log calls a connection.
    pub what: &'static str,
    /// Most connections at once. Others wait in the system's queue.
    pub places: usize,
}

// === impl Reception ===

impl Reception {
    /// Converses on each connection, as a task of `connections`, until `shutdown` is said; then the address is free again.
    /// Conversations may still go on: whoever owns them waits for their ends.
    pub async fn receive<F>(
        self,
        listener: TcpListener,
        shutdown: Shutdown,
        connections: &Tasks,
        mut converse: impl FnMut(TcpStream) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let places = Arc::new(Semaphore::new(self.places));
        let mut stop = pin::pin!(shutdown.wait());
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => return,
                accepted = accept(&listener, &places) => accepted,
            };
            let (stream, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "{} was not accepted", self.what);
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let conversation = converse(stream);
            connections.spawn(self.name, async move {
                conversation.await;
                drop(place);
            });
        }
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Without it an answer's last piece waits for the other side's delayed acknowledgement, 40 ms.
    stream.set_nodelay(true)?;
    Ok((stream, place))
}
