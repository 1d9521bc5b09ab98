//! Every case, as much of it as fits beside other tests; `cargo xtask faults` plays the whole.

use faults::cases::{ALL, Options};

const SEED: u64 = 1;

fn check(name: &str) {
    let case = ALL.iter().find(|case| case.name == name).unwrap();
    match (case.run)(&Options::quick(SEED)) {
        Ok(worlds) => assert!(worlds > 0, "no world was played"),
        Err(failure) => panic!("{failure}\nseed: {SEED}"),
    }
}

macro_rules! cases {
    ($($test:ident $name:literal)*) => {
        $(#[test]
        fn $test() {
            check($name);
        })*

        #[test]
        fn no_case_is_forgotten() {
            let named = [$($name),*];
            let all: Vec<&str> = ALL.iter().map(|case| case.name).collect();
            assert_eq!(all, named);
        }
    };
}

cases! {
    a_host_dies_at_every_place "crashes"
    a_host_dies_at_two_places "crashes-twice"
    everything_comes_more_than_once "doubled"
    a_start_key_begins_one_run "start-keys"
    the_answer_of_each_step_is_lost "lost-replies"
    each_append_goes_wrong "journal-trouble"
    undo_entries_fail "undo-fails"
    code_goes_wrong_before_each_command "broken-code"
}
