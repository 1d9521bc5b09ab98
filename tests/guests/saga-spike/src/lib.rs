//! A saga that shows in its answers, and in what it asks, all that a replay must not change.
#![cfg(target_family = "wasm")]

use std::{hint::black_box, time::Duration};

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/saga", "wit/service", "wit/companions", "wit/spike"],
        world: "spike:saga/spike",
        generate_all,
    });
}

use bindings::{
    exports::spike::saga::api::{Guest, Seen},
    skald::saga::{flow, steps, undo::Scope},
    spike::{
        service::api as service,
        service_saga::{api_start as start, api_undo as undo},
    },
};
use wasip2::{
    clocks::{monotonic_clock, wall_clock},
    random::{insecure, insecure_seed, random},
};

struct Component;

impl Guest for Component {
    fn fan_out(calls: u32, milliseconds: u64) -> Result<Vec<String>, String> {
        flow::status("calls");
        let scope = Scope::new("calls");
        let timer = steps::timer(milliseconds);
        let mut out = vec![timer];
        for call in 1..=calls {
            undo::forget(&scope, call);
            out.push(start::work(call, "beside"));
        }
        let mut heard: Vec<String> = Vec::new();
        while !out.is_empty() {
            let ended = steps::join(&out);
            out.retain(|ticket| *ticket != ended);
            if ended == timer {
                heard.push("timer".to_owned());
            } else {
                heard.push(said(&start::work_result(ended)));
            }
            let number = u32::try_from(100 + heard.len()).unwrap_or_default();
            let at = wall_clock::now();
            said(&service::work(
                number,
                &format!("{} at {}", heard.join(", "), at.nanoseconds),
            ));
        }
        if heard.first().is_some_and(|first| first == "timer") {
            if let Err(skipped) = scope.rollback("the timer was first") {
                heard.push(format!("{skipped} skipped"));
            }
            return Err(heard.join(", "));
        }
        scope.commit();
        Ok(heard)
    }

    fn look() -> Vec<Seen> {
        let before = see();
        said(&service::work(1, "look"));
        vec![before, see()]
    }

    fn linger() -> String {
        let before = flow::patched("one more");
        flow::sleep(5_000);
        let signal = flow::wait("approve", Some(60_000));
        let signal = match &signal {
            Ok(payload) => String::from_utf8_lossy(payload).into_owned(),
            Err(error) => format!("{error:?}"),
        };
        let late = flow::wait("late", None).is_err();
        format!("{before} {signal} {late} {}", flow::patched("one more"))
    }

    fn misbehave(how: String) {
        said(&service::work(1, &how));
        match how.as_str() {
            "trap" => core::arch::wasm32::unreachable(),
            "std sleep" => std::thread::sleep(Duration::from_millis(1)),
            "foreign ticket" => {
                let ticket = start::forget(1);
                said(&start::work_result(ticket));
            }
            "no ticket" => {
                steps::join(&[77]);
            }
            "ended scope" => {
                let scope = Scope::new("once");
                scope.commit();
                undo::work(&scope, 1, "too late");
            }
            "spin" => loop {
                black_box(());
            },
            "grow" => {
                let mut kept = Vec::new();
                loop {
                    kept.push(black_box(vec![1_u8; 1 << 20]));
                }
            }
            _ => {}
        }
    }
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);

    #[spin_sdk::redis_subscriber]
    async fn hear(message: Vec<u8>) -> Result<(), String> {
        super::hear(&message)
    }
}

/// A message is the number of calls to make beside each other.
fn hear(message: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(message);
    let calls = text.parse().map_err(|error| format!("{text:?}: {error}"))?;
    Component::fan_out(calls, 100).map(drop)
}

fn see() -> Seen {
    let run = flow::info();
    let wall = wall_clock::now();
    Seen {
        wall: wall.seconds * 1_000_000_000 + u64::from(wall.nanoseconds),
        monotonic: monotonic_clock::now(),
        chance: random::get_random_u64(),
        insecure: insecure::get_insecure_random_u64(),
        seed: insecure_seed::insecure_seed().0,
        key: format!("{} {}", run.key, flow::key("label")),
        run: run.id,
    }
}

fn said(answer: &Result<service::Answer, service::Error>) -> String {
    match answer {
        Ok(answer) => format!("{} {}", answer.call, answer.text),
        Err(service::Error::Refused(why)) => format!("refused {why}"),
    }
}
