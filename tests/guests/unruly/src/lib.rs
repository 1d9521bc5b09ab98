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

/// The application's bus, which the manifest grants.
const EVENTS: &str = "redis://localhost:6379";

#[spin_sdk::http_service]
async fn serve(request: Request) -> Answer {
    match request.uri().path() {
        "/ok" => said("ok"),
        "/trap" => core::arch::wasm32::unreachable(),
        "/spin" => spin(),
        "/grow" => grow(),
        "/flood-log" => flood_log(),
        "/flood-store" => flood_store(),
        "/stored" => said(Store::open("unruly").keys().len().to_string()),
        "/flood-body" => said(vec![b'x'; PIECE].repeat(PIECES)),
        "/flood-events" => flood_events().await,
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
        if events.publish("unruly.flood.v1", "{}").await.is_err() {
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                HeaderMap::new(),
                FullBody::default(),
            );
        }
    }
    said("ok")
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
