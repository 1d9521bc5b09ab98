//! Reads the body of a request, no longer and no slower than allowed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use skald_core::manifest::ByteSize;
use tokio::time::timeout;

use crate::failure::Failure;

/// How long and how slow a body may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) longest: ByteSize,
    pub(crate) slowest: Duration,
    /// The client waits for `100 Continue` before it sends.
    pub(crate) announced: bool,
}

/// How much of a refused body is read and dropped, so that a client that is still sending gets to see the refusal
/// instead of a reset connection.
const DISCARD: usize = 4 * 1024 * 1024;
/// How long that may take.
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// Reads the whole body.
pub(crate) async fn read(mut body: Incoming, bounds: Bounds) -> Result<Bytes, Failure> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let longest = bounds.longest.as_usize();
    // The announced length, where there is one: refused before anything is read.
    if body.size_hint().lower() > bounds.longest.as_u64() {
        if !bounds.announced {
            discard(&mut body).await;
        }
        return Err(Failure::BodyTooLong(bounds.longest));
    }
    match timeout(bounds.slowest, collect(&mut body, longest)).await {
        Err(_) => Err(Failure::BodyTooSlow(bounds.slowest)),
        Ok(Err(_)) => Err(Failure::BodyBroken),
        Ok(Ok(Some(whole))) => Ok(whole),
        Ok(Ok(None)) => {
            discard(&mut body).await;
            Err(Failure::BodyTooLong(bounds.longest))
        }
    }
}

/// The body, or nothing when it is longer than `longest`. One frame, the usual case, is not copied.
async fn collect(body: &mut Incoming, longest: usize) -> Result<Option<Bytes>, hyper::Error> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if first.len().max(all.len()) + data.len() > longest {
            return Ok(None);
        }
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(Some(if all.is_empty() { first } else { all.freeze() }))
}

async fn discard(body: &mut Incoming) {
    let drop_some = async {
        let mut dropped = 0;
        while let Some(Ok(frame)) = body.frame().await {
            dropped += frame.data_ref().map_or(0, Bytes::len);
            if dropped > DISCARD {
                return;
            }
        }
    };
    // Whoever needs longer sees the connection close.
    let _ = timeout(DISCARD_TIME, drop_some).await;
}
