//! The calling half of the benchmark of service calls: `GET /run?call=ping&n=1000` makes so many calls, one after the other.
//!
//! How long that takes is for the asker to measure.
#![cfg(target_family = "wasm")]

mod bindings {
    wit_bindgen::generate!({ path: ["../../wit/callee", "../../wit/caller"], world: "bench:caller/caller", generate_all });
}

use bindings::{
    bench::callee::api::{self, Line},
    exports::bench::caller::api::Guest,
};
use spin_sdk::http::{Request, StatusCode};

struct Component;

/// What is called.
#[derive(Clone, Copy)]
enum Callee {
    Ping,
    Reserve,
}

impl Guest for Component {
    fn run(count: u32) {
        call(Callee::Ping, count);
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}

#[spin_sdk::http_service]
async fn serve(request: Request) -> (StatusCode, String) {
    let query = request.uri().query().unwrap_or_default();
    let callee = match parameter(query, "call") {
        None | Some("ping") => Callee::Ping,
        Some("reserve") => Callee::Reserve,
        Some(other) => {
            return (
                StatusCode::BAD_REQUEST,
                format!("call=ping or call=reserve, not {other:?}\n"),
            );
        }
    };
    let Ok(count) = parameter(query, "n").unwrap_or("1").parse() else {
        return (StatusCode::BAD_REQUEST, "n is a number\n".to_owned());
    };
    (StatusCode::OK, format!("{}\n", call(callee, count)))
}

/// Makes the calls, and answers how many had the answer they should have.
fn call(callee: Callee, count: u32) -> u32 {
    let mut good = 0;
    for number in 0..count {
        let is_good = match callee {
            Callee::Ping => api::ping(number) == number.wrapping_add(1),
            Callee::Reserve => reserve(),
        };
        good += u32::from(is_good);
    }
    good
}

fn reserve() -> bool {
    let line = |sku: &str| Line {
        sku: sku.to_owned(),
        quantity: 2,
    };
    let lines = [line("ale-horn"), line("bone-comb"), line("cloak-wool")];
    api::reserve("ord_01JZ0000000000000000000000", &lines).is_ok()
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
