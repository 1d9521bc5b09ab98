//! Every case, as much of it as fits beside other tests; `cargo xtask faults` plays the whole.

use faults::{
    Failure,
    cases::{ALL, Options},
    expect,
};

const SEED: u64 = 1;

fn check(name: &str) -> Result<(), Failure> {
    let case = ALL.iter().find(|case| case.name == name);
    let case = case.ok_or_else(|| Failure::new("there is no such case"))?;
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
    an_end_is_told_when_it_is_durable "waiters"
    undo_entries_fail "undo-fails"
    code_goes_wrong_before_each_command "broken-code"
    what_runs_the_code_panics "panics"
    a_run_is_cancelled_at_every_place "cancel"
    every_verb_is_answered_or_refused "verbs"
    parked_runs_are_repaired "repairs"
    the_clock_jumps "clock-jumps"
    instances_are_put_away "eviction"
    two_hosts_carry_the_same_runs "two-owners"
    an_entry_is_damaged "damaged-entries"
    payloads_and_histories_are_too_large "sizes"
    a_crowd_starts_at_once "crowd"
    poisoned_runs_do_not_hold_up_others "poison"
    code_is_upgraded "upgrades"
    a_run_is_forgotten "purge"
    a_run_is_begun_again "rerun"
    write_once_steps_are_sent_once "write-once"
    the_last_page_of_a_file_is_torn "torn-files"
    bytes_of_a_file_change "rotten-files"
    the_disk_is_full "full-disk"
    chance_finds_nothing "chance"
    a_host_dies_at_every_place_of_the_shops_sagas "shop-crashes"
    a_host_dies_at_two_places_of_the_shops_sagas "shop-crashes-twice"
    everything_of_the_shop_comes_more_than_once "shop-doubled"
    the_answer_of_each_step_of_the_shop_is_lost "shop-replies"
    each_undo_of_the_shop_fails "shop-undo-fails"
    each_append_of_the_shops_sagas_goes_wrong "shop-journal"
    code_of_the_shops_sagas_goes_wrong_before_each_command "shop-code"
    the_shops_sagas_are_cancelled_at_every_place "shop-verbs"
    clocks_jump_under_the_shops_sagas "shop-times"
    the_shops_sagas_are_kept_in_files "shop-files"
    the_shops_sagas_meet "shop-races"
    chance_finds_nothing_in_the_shop "shop-chance"
}
