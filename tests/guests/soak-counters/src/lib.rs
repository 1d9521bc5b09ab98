//! What the saga of `saga-soak` calls: counters, and for each run a log of what it did to them.
//!
//! It does not notice that a call comes twice. It traps now and then, before it writes and after, and it is the door by
//! which programs come in.
#![cfg(target_family = "wasm")]

use sdk::{
    events::CloudEvent,
    kv::Store,
    rest::{Problem, Request, Response, accepted, json},
};
use serde_json::Value;

mod bindings {
    wit_bindgen::generate!({ path: "../saga-soak/wit/counters", world: "counters" });
}

use bindings::exports::soak::counters::api::{Addition, Error, Guest};

struct Component;

impl Guest for Component {
    fn add(what: Addition) -> Result<u32, Error> {
        if what.amount == 0 {
            return Err(Error::Refused(format!("{} adds nothing", what.tag)));
        }
        let luck = luck();
        if luck < what.risk {
            sdk::unavailable("bad luck before writing");
        }
        let store = Store::open("counters");
        let value = counter(&store, what.key).wrapping_add(what.amount);
        store.set(&format!("counter/{}", what.key), &value);
        write_down(
            &store,
            &what.run,
            format!("+{} {} {}", what.tag, what.key, what.amount),
        );
        if luck < 2 * what.risk {
            sdk::unavailable("bad luck after writing");
        }
        Ok(value)
    }

    fn take_back(run: String, tag: u32, risk: u32) {
        let luck = luck();
        if luck < risk {
            sdk::unavailable("bad luck before undoing");
        }
        let store = Store::open("counters");
        let begin = format!("+{tag} ");
        let made = log(&store, &run)
            .into_iter()
            .find_map(|line| line.strip_prefix(&begin).map(str::to_owned));
        let made = made.and_then(|made| {
            let (key, amount) = made.split_once(' ')?;
            Some((key.parse().ok()?, amount.parse::<u32>().ok()?))
        });
        if let Some((key, amount)) = made {
            let value = counter(&store, key).wrapping_sub(amount);
            store.set(&format!("counter/{key}"), &value);
        }
        write_down(&store, &run, format!("-{tag}"));
        if luck < 2 * risk {
            sdk::unavailable("bad luck after undoing");
        }
    }

    fn look(key: u32) -> u32 {
        counter(&Store::open("counters"), key)
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}

#[spin_sdk::http_service]
async fn serve(request: spin_sdk::http::Request) -> sdk::rest::Outgoing {
    sdk::rest::serve(request, answer).await
}

fn answer(request: &Request) -> Result<Response, Problem> {
    let store = Store::open("counters");
    match (request.method(), request.segments().as_slice()) {
        ("POST", ["programs"]) => {
            let event: CloudEvent<Value> = sdk::rest::parse_body(&request.body)?;
            sdk::events::publish(&event);
            Ok(accepted(&format!("/logs/{}", event.id), &event.id))
        }
        ("GET", ["logs", run]) => Ok(json(200, &log(&store, run))),
        ("GET", ["counters", count]) => {
            let count: u32 = count.parse().unwrap_or_default();
            let values: Vec<u32> = (0..count).map(|key| counter(&store, key)).collect();
            Ok(json(200, &values))
        }
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn counter(store: &Store, key: u32) -> u32 {
    store.get(&format!("counter/{key}")).unwrap_or_default()
}

fn log(store: &Store, run: &str) -> Vec<String> {
    store.get(&format!("log/{run}")).unwrap_or_default()
}

fn write_down(store: &Store, run: &str, line: String) {
    let mut lines = log(store, run);
    lines.push(line);
    store.set(&format!("log/{run}"), &lines);
}

/// A number below 200.
fn luck() -> u32 {
    u32::try_from(wasip2::random::random::get_random_u64() % 200).unwrap_or_default()
}
