//! The called half of the benchmark of service calls: answers at once and keeps nothing.
//!
//! It has no HTTP and nothing asynchronous, so that it runs in the cheaper of the host's engines.
#![cfg(target_family = "wasm")]

mod bindings {
    wit_bindgen::generate!({ path: "../../wit/callee", world: "callee" });
}

use bindings::exports::bench::callee::api::{Error, Guest, Line};

struct Component;

impl Guest for Component {
    fn ping(number: u32) -> u32 {
        number.wrapping_add(1)
    }

    fn reserve(id: String, lines: Vec<Line>) -> Result<String, Error> {
        if lines.is_empty() {
            return Err(Error::Empty);
        }
        match lines.iter().find(|line| line.quantity == 0) {
            Some(line) => Err(Error::OutOfStock(line.sku.clone())),
            None => Ok(format!("reserved-{id}-{}", lines.len())),
        }
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}
