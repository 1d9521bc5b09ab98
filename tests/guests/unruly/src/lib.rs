//! Each path of this component is one way to misbehave. The host has to answer for it and live on.
#![cfg(target_family = "wasm")]

use std::io::Write as _;

use bytes::Bytes;
use sdk::kv::Store;
use spin_sdk::{
    http::{FullBody, HeaderMap, HeaderValue, Request, StatusCode},
    redis::Connection,
};

type Answer = (StatusCode, HeaderMap, FullBody<Bytes>);

/// A piece of a flood.
const PIECE: usize = 256 << 10;

/// More pieces than anybody allows.
const PIECES: usize = 512;

/// Fits into the memory of an instance, and is more than anybody wants to be answered.
const LONG_BODY: usize = 20 << 20;

/// Where it counts the messages that came.
const HEARD: &str = "heard";

/// What it publishes, and listens to.
const NEWS: &str = "unruly.news.v1";

/// The application's bus, which the manifest grants.
const EVENTS: &str = "redis://localhost:6379";

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    #[spin_sdk::redis_subscriber]
    async fn hear(_message: Vec<u8>) -> Result<(), sdk::events::HandlerError> {
        crate::count();
        Ok(())
    }
}

/// One more message has come.
fn count() {
    let store = Store::open("unruly");
    store.set(HEARD, &(store.get::<u32>(HEARD).unwrap_or_default() + 1));
}

#[spin_sdk::http_service]
async fn serve(request: Request) -> Answer {
    match request.uri().path() {
        "/ok" => said("ok"),
        "/trap" => core::arch::wasm32::unreachable(),
        "/spin" => spin(),
        "/grow" => grow(),
        "/flood-log" => flood_log(),
        "/flood-store" => flood_store(),
        "/flood-body" => said(vec![b'x'; LONG_BODY]),
        "/flood-events" => flood_events().await,
        "/publish" => publish(StatusCode::OK).await,
        "/publish-and-refuse" => publish(StatusCode::CONFLICT).await,
        "/publish-and-trap" => {
            publish(StatusCode::OK).await;
            core::arch::wasm32::unreachable()
        }
        "/heard" => said(
            Store::open("unruly")
                .get::<u32>(HEARD)
                .unwrap_or_default()
                .to_string(),
        ),
        "/stored" => stored(),
        "/other-store" => said(Store::open("orders").keys().len().to_string()),
        "/lie" => lie(),
        "/leak-headers" => leak_headers(&request),
        _ => (StatusCode::NOT_FOUND, HeaderMap::new(), FullBody::default()),
    }
}

fn said(text: impl Into<Bytes>) -> Answer {
    (StatusCode::OK, HeaderMap::new(), FullBody::new(text.into()))
}

/// Never ends, and does nothing that a host could notice.
fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

/// Takes all the memory there is, and touches it.
fn grow() -> Answer {
    let mut hoard = Vec::new();
    for _ in 0..PIECES {
        hoard.push(std::hint::black_box(vec![1_u8; PIECE]));
    }
    said(hoard.len().to_string())
}

/// Prints 128 MiB.
fn flood_log() -> Answer {
    let line = format!("{}\n", "flood ".repeat(170));
    let mut out = std::io::stdout().lock();
    for _ in 0..(PIECE * PIECES / line.len()) {
        // A host may refuse to listen; that is what is tried here.
        if out.write_all(line.as_bytes()).is_err() {
            break;
        }
    }
    said("ok")
}

/// Writes 128 MiB in one call.
fn flood_store() -> Answer {
    let store = Store::open("unruly");
    let piece = "x".repeat(PIECE);
    for number in 0..PIECES {
        store.set(&format!("piece/{number}"), &piece);
    }
    said("ok")
}

/// Publishes more events in one call than any business has.
async fn flood_events() -> Answer {
    let Ok(events) = Connection::open(EVENTS).await else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            HeaderMap::new(),
            FullBody::default(),
        );
    };
    for _ in 0..100_000 {
        if events.publish(NEWS, "{}").await.is_err() {
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                HeaderMap::new(),
                FullBody::default(),
            );
        }
    }
    said("ok")
}

/// Writes and publishes; whether that holds depends on how the call ends.
async fn publish(status: StatusCode) -> Answer {
    Store::open("unruly").set("piece/published", "once");
    let published = match Connection::open(EVENTS).await {
        Ok(events) => events.publish(NEWS, "{}").await.is_ok(),
        Err(_) => false,
    };
    let status = if published {
        status
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, HeaderMap::new(), FullBody::default())
}

/// How many pieces a flood, or anything else, has left.
fn stored() -> Answer {
    let keys = Store::open("unruly").keys();
    said(
        keys.iter()
            .filter(|key| key.starts_with("piece/"))
            .count()
            .to_string(),
    )
}

/// Announces more than it says.
fn lie() -> Answer {
    let (status, mut headers, body) = said("ok");
    headers.insert("content-length", HeaderValue::from_static("1000000"));
    (status, headers, body)
}

/// Repeats what the host told it, and answers with headers that are not a component's to set.
fn leak_headers(request: &Request) -> Answer {
    let mut seen: Vec<&str> = request.headers().keys().map(|name| name.as_str()).collect();
    seen.sort_unstable();
    let mut headers = HeaderMap::new();
    for (name, value) in [("x-mine", "kept"), ("trace-id", "forged")] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    (
        StatusCode::OK,
        headers,
        FullBody::new(Bytes::from(seen.join("\n"))),
    )
}
