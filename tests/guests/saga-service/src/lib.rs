//! What the saga of `saga-spike` calls: answers at once and keeps nothing.
#![cfg(target_family = "wasm")]

mod bindings {
    wit_bindgen::generate!({ path: "../saga-spike/wit/service", world: "service" });
}

use bindings::exports::spike::service::api::{Answer, Error, Guest};

struct Component;

impl Guest for Component {
    fn work(call: u32, text: String) -> Result<Answer, Error> {
        if call == 13 {
            return Err(Error::Refused(text));
        }
        Ok(Answer { call, text })
    }

    fn forget(_call: u32) {}
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}
