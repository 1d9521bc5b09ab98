//! What the saga of `saga-bench` calls: a function that changes nothing, and one that writes one key.
#![cfg(target_family = "wasm")]

mod bindings {
    wit_bindgen::generate!({ path: "../saga-bench/wit/shelf", world: "shelf" });
}

use bindings::exports::bench::shelf::api::Guest;
use sdk::kv::Store;

struct Component;

impl Guest for Component {
    fn look(number: u32) -> u32 {
        number.wrapping_add(1)
    }

    fn put(name: String, number: u32) -> u32 {
        Store::open("shelf").set(&name, &number);
        number.wrapping_add(1)
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}
