use std::collections::BinaryHeap;

use super::*;

/// Dice that fall the same in each test.
fn dice() -> impl FnMut() -> u64 {
    let mut state = 42_u64;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state >> 33
    }
}

fn nodes(names: &[&str]) -> Vec<Node> {
    names.iter().map(|name| Node::from(*name)).collect()
}

fn cart() -> ComponentId {
    ComponentId::from("cart")
}

/// A second of calls, one each millisecond, to nodes that take so long.
fn calls_of_a_second(
    balance: &mut Balance,
    took: &[(&str, Duration)],
    from: Moment,
) -> BTreeMap<String, u32> {
    let mut dice = dice();
    let names: Vec<&str> = took.iter().map(|(name, _)| *name).collect();
    let nodes = nodes(&names);
    let mut counts = BTreeMap::new();
    let mut running = BinaryHeap::new();
    for tick in 0..1_000 {
        let now = from + Duration::from_millis(tick);
        while let Some((std::cmp::Reverse(end), began, name)) = running.pop() {
            if end > now {
                running.push((std::cmp::Reverse(end), began, name));
                break;
            }
            balance.done((&cart(), name), (began, end), Outcome::Answered, &mut dice);
        }
        let Choice::Ask(node) = balance.choose(&cart(), &nodes, now, &mut dice) else {
            panic!("nobody to ask");
        };
        let (name, took) = took.iter().find(|(name, _)| *name == &*node).unwrap();
        *counts.entry((*name).to_owned()).or_insert(0) += 1;
        running.push((std::cmp::Reverse(now + *took), now, *name));
    }
    for (std::cmp::Reverse(end), began, name) in running {
        balance.done((&cart(), name), (began, end), Outcome::Answered, &mut dice);
    }
    counts
}

const FAST: Duration = Duration::from_millis(5);
const SLOW: Duration = Duration::from_millis(100);

#[test]
fn equal_nodes_share_the_calls() {
    let mut balance = Balance::default();
    let counts = calls_of_a_second(
        &mut balance,
        &[("a", FAST), ("b", FAST), ("c", FAST)],
        Moment::ZERO,
    );
    assert!(
        counts.values().all(|count| (250..=420).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn a_slow_node_gets_little_and_is_forgiven_when_it_is_fast_again() {
    let mut balance = Balance::default();
    let slow = [("a", FAST), ("b", FAST), ("c", SLOW)];
    calls_of_a_second(&mut balance, &slow, Moment::ZERO);
    let counts = calls_of_a_second(&mut balance, &slow, Duration::from_secs(2));
    assert!(
        counts.get("c").is_none_or(|count| *count < 50),
        "{counts:?}"
    );
    let fast = [("a", FAST), ("b", FAST), ("c", FAST)];
    for second in 4..70 {
        calls_of_a_second(&mut balance, &fast, Duration::from_secs(second));
    }
    let counts = calls_of_a_second(&mut balance, &fast, Duration::from_secs(70));
    assert!(counts["c"] > 200, "{counts:?}");
}

#[test]
fn a_node_that_asks_to_come_later_is_asked_last() {
    let (mut balance, mut dice) = (Balance::default(), dice());
    let nodes = nodes(&["a", "b"]);
    let now = FAST;
    balance.choose(&cart(), &nodes[..1], Moment::ZERO, &mut dice);
    balance.done(
        (&cart(), "a"),
        (Moment::ZERO, now),
        Outcome::Busy,
        &mut dice,
    );
    balance.choose(&cart(), &nodes[1..], Moment::ZERO, &mut dice);
    balance.done(
        (&cart(), "b"),
        (Moment::ZERO, now),
        Outcome::Answered,
        &mut dice,
    );
    for _ in 0..100 {
        assert_eq!(
            balance.choose(&cart(), &nodes, now, &mut dice),
            Choice::Ask("b".into())
        );
        balance.done(
            (&cart(), "b"),
            (now, now + FAST),
            Outcome::Answered,
            &mut dice,
        );
    }
}

#[test]
fn a_dead_node_is_left_alone_for_longer_and_longer_and_tried_with_one_call() {
    let (mut balance, mut dice) = (Balance::default(), dice());
    let nodes = nodes(&["dead"]);
    let mut now = Moment::ZERO;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        assert_eq!(
            balance.choose(&cart(), &nodes, now, &mut dice),
            Choice::Ask("dead".into())
        );
        balance.done(
            (&cart(), "dead"),
            (now, now),
            Outcome::Unreachable,
            &mut dice,
        );
        let Choice::Wait(pause) = balance.choose(&cart(), &nodes, now, &mut dice) else {
            panic!("it was just found dead");
        };
        pauses.push(pause);
        now += pause;
    }
    assert!(
        pauses[0] >= BACKOFF / 2 && pauses[0] <= BACKOFF,
        "{pauses:?}"
    );
    assert!(
        pauses[7] >= MAX_BACKOFF / 2 && pauses[7] <= MAX_BACKOFF,
        "{pauses:?}"
    );
    // One call finds out; the others do not wait for it.
    assert!(matches!(
        balance.choose(&cart(), &nodes, now, &mut dice),
        Choice::Ask(_)
    ));
    assert!(matches!(
        balance.choose(&cart(), &nodes, now, &mut dice),
        Choice::Wait(_)
    ));
    let turn = balance.done(
        (&cart(), "dead"),
        (now, now + FAST),
        Outcome::Answered,
        &mut dice,
    );
    assert_eq!(turn, Some(Turn::Back));
    assert!(matches!(
        balance.choose(&cart(), &nodes, now, &mut dice),
        Choice::Ask(_)
    ));
}

#[test]
fn calls_go_to_those_who_are_alive() {
    let (mut balance, mut dice) = (Balance::default(), dice());
    let nodes = nodes(&["a", "dead", "b"]);
    balance.choose(&cart(), &nodes[1..2], Moment::ZERO, &mut dice);
    balance.done(
        (&cart(), "dead"),
        (Moment::ZERO, Moment::ZERO),
        Outcome::Unreachable,
        &mut dice,
    );
    for _ in 0..100 {
        let Choice::Ask(node) = balance.choose(&cart(), &nodes, Moment::ZERO, &mut dice) else {
            panic!("two are alive");
        };
        assert_ne!(&*node, "dead");
        balance.done(
            (&cart(), &node),
            (Moment::ZERO, FAST),
            Outcome::Answered,
            &mut dice,
        );
    }
    // As soon as its pause is over it gets one.
    assert_eq!(
        balance.choose(&cart(), &nodes, BACKOFF, &mut dice),
        Choice::Ask("dead".into())
    );
    assert_ne!(
        balance.choose(&cart(), &nodes, BACKOFF, &mut dice),
        Choice::Ask("dead".into())
    );
}

#[test]
fn a_probe_that_nobody_waits_for_has_failed_and_is_not_forgotten() {
    let (mut balance, mut dice) = (Balance::default(), dice());
    let nodes = nodes(&["a"]);
    balance.choose(&cart(), &nodes, Moment::ZERO, &mut dice);
    balance.done(
        (&cart(), "a"),
        (Moment::ZERO, Moment::ZERO),
        Outcome::Unreachable,
        &mut dice,
    );
    balance.choose(&cart(), &nodes, BACKOFF, &mut dice);
    balance.done(
        (&cart(), "a"),
        (BACKOFF, BACKOFF),
        Outcome::Abandoned,
        &mut dice,
    );
    let Choice::Wait(pause) = balance.choose(&cart(), &nodes, BACKOFF, &mut dice) else {
        panic!("it has not answered");
    };
    assert!(pause >= BACKOFF, "{pause:?}");
    assert_eq!(
        balance.choose(&cart(), &nodes, BACKOFF + pause, &mut dice),
        Choice::Ask("a".into())
    );
}

#[test]
fn a_node_that_is_gone_is_forgotten() {
    let (mut balance, mut dice) = (Balance::default(), dice());
    let nodes = nodes(&["a", "b"]);
    balance.choose(&cart(), &nodes, Moment::ZERO, &mut dice);
    balance.keep(&[]);
    assert!(balance.peers.is_empty());
    // An answer that comes late is nobody's.
    balance.done(
        (&cart(), "a"),
        (Moment::ZERO, FAST),
        Outcome::Answered,
        &mut dice,
    );
    assert!(balance.peers.is_empty());
    assert_eq!(
        balance.choose(&cart(), &[], FAST, &mut dice),
        Choice::Wait(BACKOFF)
    );
}
