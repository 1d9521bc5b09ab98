//! What guests print becomes log lines of the host, a bounded number of them.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use parking_lot::Mutex;
use skald_core::manifest::ComponentId;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

use crate::{saga::Playing, state::Slot};

/// The longest line; what is longer is cut.
const LONGEST_LINE: usize = 8 << 10;

/// How much an instance may print in its life. A guest that floods fills no disk; one warning says that it was cut.
const MOST_BYTES: usize = 1 << 20;

/// One of a guest's output streams.
#[derive(Clone)]
pub(crate) struct Output(Arc<Mutex<Lines>>);

struct Lines {
    component: ComponentId,
    stream: &'static str,
    slot: Arc<Slot>,
    /// The run that is played, if it is a saga's.
    playing: Option<Arc<Playing>>,
    unfinished: Vec<u8>,
    left: usize,
}

impl Output {
    pub(crate) fn new(
        component: &ComponentId,
        stream: &'static str,
        slot: &Arc<Slot>,
        playing: Option<&Arc<Playing>>,
    ) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            component: component.clone(),
            stream,
            slot: Arc::clone(slot),
            playing: playing.cloned(),
            unfinished: Vec::new(),
            left: MOST_BYTES,
        })))
    }
}

impl Lines {
    fn write(&mut self, bytes: &[u8]) {
        // A replay says again what was said before.
        let is_replayed = |playing: &Arc<Playing>| !playing.stage().is_live();
        if self.playing.as_ref().is_some_and(is_replayed) {
            return;
        }
        let had = self.left;
        let taken = bytes.get(..bytes.len().min(self.left)).unwrap_or_default();
        self.left -= taken.len();
        for byte in taken {
            if *byte == b'\n' || self.unfinished.len() >= LONGEST_LINE {
                self.flush();
            }
            if *byte != b'\n' {
                self.unfinished.push(*byte);
            }
        }
        if had > 0 && self.left == 0 {
            self.flush();
            tracing::warn!(component = %self.component, limit = MOST_BYTES, "the guest printed too much; the rest is dropped");
        }
    }

    fn flush(&mut self) {
        if self.unfinished.is_empty() {
            return;
        }
        let line = String::from_utf8_lossy(&self.unfinished);
        let trace_id = format!("{:032x}", self.slot.trace().trace_id);
        tracing::info!(target: "guest", component = %self.component, stream = self.stream, trace_id, "{line}");
        self.unfinished.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.flush();
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn wasmtime_wasi::p2::OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.0.lock().write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl wasmtime_wasi::p2::Pollable for Output {
    async fn ready(&mut self) {}
}

impl wasmtime_wasi::p2::OutputStream for Output {
    fn write(&mut self, bytes: bytes::Bytes) -> wasmtime_wasi::p2::StreamResult<()> {
        self.0.lock().write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> wasmtime_wasi::p2::StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> wasmtime_wasi::p2::StreamResult<usize> {
        Ok(LONGEST_LINE)
    }
}
