//! Imports the inventory's contract with a type that the inventory does not have: it must not be linked.
#![cfg(target_family = "wasm")]

mod bindings {
    wit_bindgen::generate!({ path: "../../wit/stranger", world: "stranger" });
}

use bindings::{Guest, shop::inventory::api};

struct Component;

impl Guest for Component {
    fn try_it() -> bool {
        let line = api::Line {
            sku: "ale-horn".to_owned(),
            quantity: 1,
        };
        api::reserve("ord_1", &[line]).is_ok()
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}
