//! The smallest component there is: what remains of a request is the host's work.
#![cfg(target_family = "wasm")]

use spin_sdk::http::Request;

#[spin_sdk::http_service]
async fn hello(_request: Request) -> &'static str {
    "Hello from a component\n"
}
