//! What every adapter of the ports has to do, as tests that know nothing but the ports.
//!
//! `contract_suite!(make)` turns them into tests of one adapter; `make` is an async function that answers with an
//! empty store and something that is kept until the test ends. `contract_suite!(make, units)` and
//! `contract_suite!(make, journals)` are its two halves. [`model`] and [`journal::model`] compare an adapter with
//! a few maps.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests, for the use of other crates too"
)]

pub mod archive;
pub mod journal;
pub mod log;
pub mod model;
pub mod runs;
pub mod state;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use skald_core::{
    context::{InboxMark, TraceContext},
    event::{Book, NewEvent, Partition},
    store::{Change, CommitError, Key, Store, Subject, Version, Versioned},
};

/// One test for each function of the suite.
#[macro_export]
macro_rules! contract_suite {
    ($make:path) => {
        $crate::contract_suite! { $make, units }
        $crate::contract_suite! { $make, journals }
    };
    ($make:path, units) => {
        $crate::contract_suite! { $make, state:
            a_new_store_is_empty
            what_is_committed_is_read_back
            a_snapshot_does_not_see_later_commits
            stores_do_not_share_keys
            a_value_that_changed_conflicts
            a_key_that_appeared_conflicts
            a_key_that_was_deleted_conflicts
            a_key_deleted_and_set_again_conflicts
            a_write_without_a_read_never_conflicts
            names_come_in_order_and_in_pages
            a_listing_conflicts_with_keys_that_appear_or_go
            a_refused_unit_leaves_nothing_behind
            concurrent_increments_are_all_counted
        }
        $crate::contract_suite! { $make, log:
            events_are_numbered_in_the_order_of_their_commits
            an_event_is_read_as_it_was_published
            the_log_is_read_by_topic_and_in_pages
            an_event_is_handled_once_by_each_group
            what_is_before_the_cursor_was_handled
            the_cursor_never_goes_back
            a_failure_is_kept_until_the_event_is_handled
            a_buried_event_is_handled_and_kept
            what_was_handled_neither_fails_nor_dies
            a_subscriber_that_was_sent_back_hears_all_of_it_again
            what_was_begun_before_a_subscriber_was_sent_back_comes_too_late
        }
        $crate::contract_suite! { $make, archive:
            topics_are_counted_also_when_their_events_are_gone
            a_page_has_what_is_asked_for
            the_last_event_before_a_time_is_found
            what_a_subscriber_is_behind_is_counted
            dead_letters_come_in_order_and_in_pages
            a_dead_letter_that_is_redriven_is_delivered_to_its_subscriber_alone
            a_dead_letter_that_is_discarded_is_gone
            nothing_is_trimmed_that_is_to_be_kept
            a_subscriber_reads_on_to_the_end_of_what_there_is
        }
    };
    ($make:path, journals) => {
        $crate::contract_suite! { $make, journal:
            an_entry_is_read_back_with_what_the_list_says
            an_entry_said_again_is_written_once
            an_entry_out_of_place_conflicts
            an_owner_is_fenced_off_by_the_next_one
            a_place_has_one_entry_whoever_asks_for_it
            a_refused_entry_does_not_take_its_neighbours_along
            entries_come_in_order_and_in_pages
            only_a_run_that_has_ended_is_purged
        }
        $crate::contract_suite! { $make, runs:
            the_list_is_in_the_order_of_beginnings
            the_list_comes_in_pages
            the_list_holds_what_is_asked_for
            the_list_holds_what_is_asked_for_in_several_ways
        }
    };
    ($make:path, $module:ident: $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (store, _kept) = $make().await;
                $crate::contract::$module::$name(store).await;
            }
        )*
    };
}

/// Some time; later ones for larger numbers.
pub(crate) fn at(milliseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + milliseconds)
}

pub(crate) fn key(store: &str, name: &str) -> Key {
    Key {
        store: Arc::from(store),
        name: Arc::from(name),
    }
}

pub(crate) fn set(key: &Key, value: &str) -> Change {
    Change {
        writes: vec![(key.clone(), Some(Bytes::copy_from_slice(value.as_bytes())))],
        ..Change::default()
    }
}

pub(crate) fn delete(key: &Key) -> Change {
    Change {
        writes: vec![(key.clone(), None)],
        ..Change::default()
    }
}

/// The same change, on condition that `key` still has `version`.
pub(crate) fn given(mut change: Change, key: &Key, version: Version) -> Change {
    change.reads.push((Subject::Key(key.clone()), version));
    change
}

pub(crate) fn event(topic: &str, payload: &str) -> NewEvent {
    NewEvent {
        topic: Arc::from(topic),
        key: "key".to_owned(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        trace: TraceContext {
            trace_id: 7,
            span_id: 8,
            sampled: true,
        },
    }
}

pub(crate) fn publish(events: &[NewEvent]) -> Change {
    Change {
        events: events.to_vec(),
        ..Change::default()
    }
}

pub(crate) fn book(group: &str, partition: &Partition) -> Book {
    Book {
        group: Arc::from(group),
        partition: Arc::clone(partition),
    }
}

pub(crate) fn handle(book: &Book, sequence: u64) -> Change {
    Change {
        inbox: Some(InboxMark {
            book: book.clone(),
            generation: 0,
            sequence,
        }),
        ..Change::default()
    }
}

pub(crate) async fn commit(store: &impl Store, change: Change) {
    store.commit(change, at(0)).await.unwrap();
}

pub(crate) async fn get(store: &impl Store, key: &Key) -> Versioned {
    store.snapshot().await.unwrap().get(key).await.unwrap()
}

pub(crate) async fn value(store: &impl Store, key: &Key) -> Option<String> {
    get(store, key)
        .await
        .value
        .map(|value| String::from_utf8(value.to_vec()).unwrap())
}

pub(crate) async fn names(
    store: &impl Store,
    label: &str,
    after: Option<&str>,
    limit: usize,
) -> Vec<String> {
    let mut snapshot = store.snapshot().await.unwrap();
    let names = snapshot
        .keys(&Arc::from(label), after, limit)
        .await
        .unwrap();
    names.iter().map(ToString::to_string).collect()
}

/// Asserts that a change conflicts, and over what.
pub(crate) async fn conflicts(store: &impl Store, change: Change, over: &Subject) {
    match store.commit(change, at(0)).await {
        Err(CommitError::Conflict(subject)) => assert_eq!(subject, *over),
        other => panic!("expected a conflict over {over:?}, got {other:?}"),
    }
}
