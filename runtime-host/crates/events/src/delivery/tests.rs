pub(crate) mod world;

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;
use skald_core::{
    call::Input,
    context::{Cause, InboxMark, Once},
    event::Failure,
};
use skald_telemetry::clock;
use tokio::time::{Instant, sleep};

use self::world::{World, book, config, failed, overloaded};
use crate::handle::Stopped;

#[tokio::test(start_paused = true)]
async fn every_event_is_handled_once_and_in_order_for_each_key() {
    let mut world = World::new();
    for index in 0..500 {
        world.publish(&format!("key {}", index % 7));
    }
    world.start().idle().await.unwrap();
    world.assert_handled_in_order(500);
    assert_eq!(
        world.calls.most_at_once(),
        4,
        "as many as the config allows"
    );
}

#[tokio::test(start_paused = true)]
async fn a_delivery_carries_the_mark_the_cause_and_the_trace_of_its_event() {
    let mut world = World::new();
    let sequence = world.publish("a");
    let event = world.log.event(sequence);
    world.start().idle().await.unwrap();
    let request = world.calls.requests().remove(0);
    assert_eq!(request.target, "stock".into());
    assert!(matches!(request.input, Input::Message(payload) if payload == event.payload));
    let mark = InboxMark {
        book: book(),
        generation: 0,
        sequence,
    };
    assert_eq!(request.context.once, Some(Once::Inbox(mark)));
    assert_eq!(request.context.cause, Cause::Event(sequence));
    assert_eq!(request.context.trace.trace_id, event.trace.trace_id);
    assert_ne!(request.context.trace.span_id, event.trace.span_id);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_fails_and_then_works_handles_the_event() {
    let mut world = World::new();
    let sequence = world.publish("a");
    world
        .calls
        .answer(move |attempt, _| if attempt <= 3 { Err(failed()) } else { Ok(()) });
    world.start().idle().await.unwrap();
    assert_eq!(world.calls.attempts(sequence), 4);
    assert!(world.log.dead().is_empty());
    world.assert_handled_in_order(1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_keeps_failing_becomes_a_dead_letter_and_its_key_goes_on() {
    let mut world = World::new();
    let poison = world.publish("a");
    let next = world.publish("a");
    world.calls.answer(move |_, sequence| {
        if sequence == poison {
            Err(failed())
        } else {
            Ok(())
        }
    });
    world.start().idle().await.unwrap();
    let dead = world.log.dead();
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (dead[0].event.sequence, dead[0].attempts),
        (poison, config().attempts.get())
    );
    assert_eq!(dead[0].error, "the handler failed: no");
    assert_eq!(world.calls.attempts(poison), config().attempts.get());
    assert_eq!(world.calls.effects(), [("a".to_owned(), next)]);
}

#[tokio::test(start_paused = true)]
async fn a_poisoned_key_does_not_delay_the_others() {
    let mut world = World::new();
    world.calls.answer(|_, sequence| {
        if sequence <= 5_000 {
            Err(overloaded(3_600))
        } else {
            Ok(())
        }
    });
    for _ in 0..5_000 {
        world.publish("poisoned");
    }
    for index in 0..50 {
        world.publish(&format!("sound {index}"));
    }
    world.start();
    let began = Instant::now();
    while world.calls.effects().len() < 50 {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        world.log.cursor(),
        0,
        "the cursor waits for the poisoned event"
    );
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_blocked_key_do_not_take_the_memory_of_the_others() {
    let mut world = World::new();
    world.calls.answer(|_, sequence| {
        if sequence <= 300 {
            Err(overloaded(3_600))
        } else {
            Ok(())
        }
    });
    for _ in 0..300 {
        world.publish("poisoned");
    }
    for index in 0..400 {
        world.publish(&format!("sound {}", index % 4));
    }
    world.start();
    sleep(Duration::from_secs(5)).await;
    world.assert_handled_in_order(400);
    // Without memory each of them would be read on its own.
    assert!(world.log.count("read") < 100, "{}", world.log.count("read"));
}

#[tokio::test(start_paused = true)]
async fn failures_of_the_host_use_up_no_attempts() {
    let mut world = World::new();
    let sequence = world.publish("a");
    world.calls.answer(|attempt, _| match attempt {
        1..=50 => Err(overloaded(0)),
        51 => Err(failed()),
        _ => Ok(()),
    });
    world.start().idle().await.unwrap();
    assert_eq!(world.calls.attempts(sequence), 52);
    assert_eq!(
        world.log.noted(),
        [(sequence, 1)],
        "only the handler's failure is noted"
    );
    assert!(world.log.dead().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_component_is_left_alone_as_long_as_it_asks_for() {
    let mut world = World::new();
    world.publish("a");
    world.calls.answer(|attempt, _| {
        if attempt == 1 {
            Err(overloaded(60))
        } else {
            Ok(())
        }
    });
    let (handle, began) = (world.start(), Instant::now());
    handle.idle().await.unwrap();
    let waited = began.elapsed();
    assert!((60..62).contains(&waited.as_secs()), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_is_made_again() {
    let mut world = World::new();
    let sequence = world.publish("a");
    world.calls.answer(|attempt, _| {
        if attempt == 1 {
            panic!("on purpose")
        } else {
            Ok(())
        }
    });
    world.start().idle().await.unwrap();
    assert_eq!(world.calls.attempts(sequence), 2);
    world.assert_handled_in_order(1);
}

#[tokio::test(start_paused = true)]
async fn a_wake_up_is_enough_for_a_new_event_to_be_handled_at_once() {
    let mut world = World::new();
    let handle = world.start();
    handle.idle().await.unwrap();
    world.publish("a");
    let began = Instant::now();
    handle.wake();
    while world.calls.effects().is_empty() {
        sleep(Duration::from_millis(1)).await;
    }
    assert!(
        began.elapsed() < Duration::from_millis(20),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_wake_up_delays_an_event_by_a_second_at_most() {
    let mut world = World::new();
    world.start().idle().await.unwrap();
    world.publish("a");
    sleep(Duration::from_millis(1_020)).await;
    world.assert_handled_in_order(1);
}

#[tokio::test(start_paused = true)]
async fn the_cursor_is_written_in_batches_and_soon_after_the_last_event() {
    let mut world = World::new();
    for index in 0..1_000 {
        world.publish(&format!("key {}", index % 20));
    }
    let handle = world.start();
    handle.idle().await.unwrap();
    assert!(
        world.log.count("advance") <= 6,
        "{}",
        world.log.count("advance")
    );
    sleep(Duration::from_secs(2)).await;
    assert_eq!(world.log.cursor(), 1_000);
    let before = world.log.count("advance");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        world.log.count("advance"),
        before,
        "nothing happens, nothing is written"
    );
}

#[tokio::test(start_paused = true)]
async fn a_drained_delivery_has_finished_what_it_began_and_nothing_else() {
    let mut world = World::new();
    for index in 0..100 {
        world.publish(&format!("key {index}"));
    }
    world.start();
    sleep(Duration::from_millis(17)).await;
    let drained = world.tasks.drain(Duration::from_secs(5)).await;
    assert!(drained.unfinished.is_empty() && drained.panicked.is_empty());
    let effects = world.calls.effects().len();
    assert_eq!(
        world.calls.requests().len(),
        effects,
        "what was begun has ended"
    );
    assert!((4..100).contains(&effects), "{effects}");
    assert_eq!(world.log.cursor(), u64::try_from(effects).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_stopped_delivery_says_so_to_those_who_wait() {
    let mut world = World::new();
    let handle = world.start();
    world.publish("a");
    world.calls.answer(|_, _| Err(overloaded(3_600)));
    let (waited, _) = tokio::join!(handle.idle(), world.tasks.drain(Duration::from_secs(5)));
    assert_eq!(waited, Err(Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_start_continues_exactly_where_the_books_say() {
    let mut world = World::new();
    let sequences: Vec<u64> = (0..5).map(|_| world.publish("a")).collect();
    let retry_at = clock::now() + Duration::from_millis(500);
    world.log.edit(|books| {
        books.cursor = sequences[0];
        books.handled = BTreeSet::from([sequences[1]]);
        let error = "the handler failed: no".to_owned();
        books.failures.insert(
            sequences[2],
            Failure {
                sequence: sequences[2],
                attempts: 3,
                retry_at,
                error,
            },
        );
    });
    let poison = sequences[2];
    world.calls.answer(move |_, sequence| {
        if sequence == poison {
            Err(failed())
        } else {
            Ok(())
        }
    });
    let began = Instant::now();
    world.start().idle().await.unwrap();
    assert!(
        began.elapsed() >= Duration::from_millis(400),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        world.calls.attempts(poison),
        config().attempts.get() - 3,
        "earlier attempts count"
    );
    let handled: Vec<u64> = world
        .calls
        .effects()
        .into_iter()
        .map(|(_, sequence)| sequence)
        .collect();
    assert_eq!(handled, sequences[3..]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_for_a_while_loses_nothing() {
    for operation in [
        "head",
        "read",
        "progress",
        "advance",
        "note_failure",
        "bury",
    ] {
        let mut world = World::new();
        for index in 0..40 {
            world.publish(&format!("key {}", index % 5));
        }
        // Each event fails once; every tenth fails for good.
        world
            .calls
            .answer(|attempt, sequence| match (attempt, sequence % 10) {
                (1, _) | (_, 0) => Err(failed()),
                _ => Ok(()),
            });
        world.log.break_operation(operation);
        world.start();
        sleep(Duration::from_secs(10)).await;
        world.log.repair();
        sleep(Duration::from_secs(120)).await;
        world.assert_handled_in_order(36);
        let dead: Vec<u64> = world
            .log
            .dead()
            .iter()
            .map(|letter| letter.event.sequence)
            .collect();
        assert_eq!(
            BTreeSet::from_iter(dead.clone()),
            BTreeSet::from([10, 20, 30, 40]),
            "{operation}"
        );
        assert_eq!(dead.len(), 4, "{operation}: each is buried once");
        assert_eq!(world.log.cursor(), 40, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_what_is_in_the_log_waits_until_it_is_handled() {
    let mut world = World::new();
    world.calls.answer(|attempt, _| {
        if attempt == 1 {
            Err(overloaded(30))
        } else {
            Ok(())
        }
    });
    for _ in 0..3 {
        world.publish("a");
    }
    let handle = world.start();
    let began = Instant::now();
    handle.idle().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(90), "thirty each");
    world.assert_handled_in_order(3);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_was_sent_back_is_given_everything_again() {
    let mut world = World::new();
    for _ in 0..3 {
        world.publish("a");
    }
    let handle = world.start();
    handle.idle().await.unwrap();
    world.log.edit(|books| {
        books.generation += 1;
        books.cursor = 1;
        books.handled.clear();
    });
    world.publish("b");
    handle.wake();
    sleep(Duration::from_secs(3)).await;
    let again = world.calls.requests().split_off(3);
    let marks = again.iter().map(|request| match &request.context.once {
        Some(Once::Inbox(mark)) => (mark.generation, mark.sequence),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        marks.collect::<BTreeSet<_>>(),
        BTreeSet::from([(1, 2), (1, 3), (1, 4)])
    );
}

#[tokio::test(start_paused = true)]
async fn events_of_other_topics_are_passed_over() {
    let mut world = World::new();
    for _ in 0..300 {
        world.publish_on("shop.other.v1", "a");
    }
    let handle = world.start();
    handle.idle().await.unwrap();
    assert!(world.calls.requests().is_empty());
    assert_eq!(world.log.cursor(), 300);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The process dies at any moment, several times; each event has its effect once all the same, or is buried.
    #[test]
    fn a_delivery_that_is_killed_continues_without_loss_or_doubling(
        keys in prop::collection::vec(0..5_u8, 1..80),
        lives in prop::collection::vec(0..60_u64, 0..6),
        poisoned in prop::collection::btree_set(1..80_u64, 0..4),
        flaky in prop::collection::btree_set(1..80_u64, 0..10),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let mut world = World::new();
            for key in &keys {
                world.publish(&format!("key {key}"));
            }
            let hopeless = poisoned.clone();
            world.calls.answer(move |attempt, sequence| {
                let fails = hopeless.contains(&sequence) || (attempt == 1 && flaky.contains(&sequence));
                if fails { Err(failed()) } else { Ok(()) }
            });
            for life in lives {
                world.start();
                sleep(Duration::from_millis(life)).await;
                world.kill().await;
            }
            world.start().idle().await.unwrap();
            let dead: BTreeSet<u64> = world.log.dead().iter().map(|letter| letter.event.sequence).collect();
            let all = u64::try_from(keys.len()).unwrap();
            let lost: BTreeSet<u64> = poisoned.into_iter().filter(|sequence| *sequence <= all).collect();
            assert_eq!(dead, lost);
            world.assert_handled_in_order(keys.len() - lost.len());
        });
    }
}
