use std::time::Duration;

use skald_core::store::{Change, Subject};
use tokio::time::timeout;

use super::{Contention, Turn};
use crate::world::key;

fn subject(name: &str) -> Subject {
    Subject::Key(key("shop", name))
}

fn change(writes: &[&str]) -> Change {
    Change {
        writes: writes
            .iter()
            .map(|name| (key("shop", name), None))
            .collect(),
        ..Change::default()
    }
}

async fn turn<'a>(contention: &'a Contention, names: &[&str]) -> Turn<'a> {
    let mut turn = Turn::default();
    for name in names {
        contention.queue(&mut turn, subject(name)).await;
    }
    turn
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_held_until_it_is_dropped() {
    let contention = Contention::default();
    let first = turn(&contention, &["a"]).await;
    let second = timeout(Duration::from_secs(1), turn(&contention, &["b", "a"])).await;
    assert!(second.is_err(), "a is taken");
    drop(first);
    turn(&contention, &["a", "b"]).await;
}

#[tokio::test]
async fn nothing_remains_of_turns_that_are_over_or_were_given_up() {
    let contention = Contention::default();
    let first = turn(&contention, &["a", "b"]).await;
    let waiting = timeout(Duration::ZERO, turn(&contention, &["a"])).await;
    assert!(waiting.is_err());
    assert!(!contention.is_idle());
    drop(first);
    assert!(contention.is_idle());
}

#[tokio::test]
async fn a_fresh_call_yields_to_those_who_queue_and_they_do_not_yield_to_it() {
    let contention = Contention::default();
    let none = Turn::default();
    assert_eq!(contention.queued_for(&change(&["a", "b"]), &none), None);
    let holder = turn(&contention, &["b"]).await;
    assert_eq!(
        contention.queued_for(&change(&["a", "b"]), &none),
        Some(subject("b"))
    );
    assert_eq!(contention.queued_for(&change(&["a"]), &none), None);
    assert_eq!(contention.queued_for(&change(&["a", "b"]), &holder), None);
}

#[tokio::test]
async fn who_only_reads_what_others_queue_for_does_not_yield() {
    let contention = Contention::default();
    let _holder = turn(&contention, &["a"]).await;
    let mut reader = change(&["b"]);
    reader.reads = vec![(subject("a"), 1)];
    assert_eq!(contention.queued_for(&reader, &Turn::default()), None);
}

#[tokio::test(start_paused = true)]
async fn two_calls_that_want_the_same_things_in_different_order_do_not_wait_for_each_other() {
    let contention = Contention::default();
    let mut one = turn(&contention, &["a"]).await;
    let mut two = turn(&contention, &["b"]).await;
    let both = async {
        let first = async {
            contention.queue(&mut one, subject("b")).await;
            drop(one);
        };
        let second = async {
            contention.queue(&mut two, subject("a")).await;
            drop(two);
        };
        tokio::join!(first, second);
    };
    timeout(Duration::from_secs(1), both)
        .await
        .expect("both get both");
    assert!(contention.is_idle());
}
