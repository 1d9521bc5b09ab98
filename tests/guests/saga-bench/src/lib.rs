//! The saga that benchmarks measure: nothing but steps, so that what remains is the host's work.
#![cfg(target_family = "wasm")]

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/saga", "wit/shelf", "wit/bench"],
        world: "bench:saga/bench",
        generate_all,
    });
}

use bindings::{bench::shelf::api as shelf, exports::bench::saga::api::Guest, skald::saga::flow};

struct Component;

impl Guest for Component {
    fn look(steps: u32) -> u32 {
        count(steps, shelf::look)
    }

    fn put(name: String, steps: u32) -> u32 {
        count(steps, |number| shelf::put(&name, number))
    }

    fn nap(milliseconds: u64) {
        flow::sleep(milliseconds);
    }

    fn linger(steps: u32, signals: u32) -> u32 {
        let good = count(steps, shelf::look);
        for _ in 0..signals {
            if flow::wait("go", None).is_err() {
                return 0;
            }
        }
        good
    }
}

/// Takes so many steps, and answers how many had the answer they should have.
fn count(steps: u32, step: impl Fn(u32) -> u32) -> u32 {
    let is_good = |number: &u32| step(*number) == number.wrapping_add(1);
    let good = (0..steps).filter(is_good).count();
    u32::try_from(good).unwrap_or(u32::MAX)
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}
