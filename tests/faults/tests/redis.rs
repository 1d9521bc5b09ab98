//! Cases on a real Redis, as much of them as fits beside other tests; `cargo xtask faults --store redis` plays all that it
//! can befall, and the whole of each.

use faults::{
    Failure,
    cases::{ALL, Options},
    expect, servers,
};

const SEED: u64 = 1;

/// Each runs in a process of its own, so that the server is its own too.
fn check(name: &str) -> Result<(), Failure> {
    servers::begin()?;
    let case = ALL.iter().find(|case| case.name == name);
    let case = case.ok_or_else(|| Failure::new("there is no such case"))?;
    expect(case.beneath.is_none(), || {
        format!("{name} says nothing of Redis")
    })?;
    let played = case.play(&Options::quick(SEED, |_| ()));
    let worlds = played.map_err(|failure| failure.note(format!("seed: {SEED}")))?;
    expect(worlds > 0, || "no world was played".to_owned())
}

macro_rules! cases {
    ($($test:ident $name:literal)*) => {
        $(#[test]
        fn $test() -> Result<(), Failure> {
            check($name)
        })*
    };
}

cases! {
    everything_comes_more_than_once "doubled"
    a_start_key_begins_one_run "start-keys"
    an_end_is_told_when_it_is_durable "waiters"
    two_hosts_carry_the_same_runs "two-owners"
    a_run_is_forgotten "purge"
    a_run_is_begun_again "rerun"
    write_once_steps_are_sent_once "write-once"
    a_host_dies_at_every_place_of_the_shops_sagas "shop-crashes"
    the_shops_sagas_meet "shop-races"
}
