//! Chains, and what is found out when one is tampered with.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const AT: &str = "2026-08-21T09:30:00.000Z";

fn message(id: &str, data: &Value) -> Vec<u8> {
    let event = json!({"specversion": "1.0", "id": id, "source": "/shop/orders", "type": "shop.order.placed.v1",
        "time": AT, "subject": "ord_1", "data": data});
    event.to_string().into_bytes()
}

fn chain(count: usize) -> Vec<Entry> {
    let mut head = Head::new(7);
    let mut entries = Vec::new();
    for number in 0..count {
        let message = Message::read(&message(&format!("evt_{number}"), &json!({}))).unwrap();
        let (entry, next) = head.append(message, AT.to_owned());
        entries.push(entry);
        head = next;
    }
    assert_eq!(head.entries, count as u64);
    entries
}

/// Whether each entry has its hash and follows the one before.
fn holds(entries: &[Entry]) -> bool {
    let mut previous = genesis(7);
    entries.iter().zip(1..).all(|(entry, number)| {
        let follows = entry.previous == previous && entry.number == number;
        let payload = entry
            .payload
            .as_deref()
            .map(|payload| Digest::of(payload.as_bytes()));
        previous = entry.hash.clone();
        follows
            && form::hash(entry) == entry.hash
            && payload.is_none_or(|digest| digest == entry.payload_digest)
    })
}

#[test]
fn an_entry_is_written_and_hashed_as_documented() {
    // The example of docs/audit.md, which the host has too.
    let bytes = br#"{"specversion":"1.0","id":"evt_1","source":"/shop/orders","type":"shop.order.placed.v1","time":"2026-08-21T09:30:00.000Z","subject":"ord_1","data":{}}"#;
    let (entry, _) = Head::new(7).append(Message::read(bytes).unwrap(), AT.to_owned());
    insta::assert_snapshot!(serde_json::to_string_pretty(&entry).unwrap(), @r#"
    {
      "chain": 7,
      "number": 1,
      "recorded_at": "2026-08-21T09:30:00.000Z",
      "event": {
        "id": "evt_1",
        "source": "/shop/orders",
        "type": "shop.order.placed.v1",
        "subject": "ord_1",
        "time": "2026-08-21T09:30:00.000Z"
      },
      "digest": "b871ef366b98df900aab2ec7373a3d6fbd587a3639368e4098205c6bcbd6121f",
      "payload_digest": "b871ef366b98df900aab2ec7373a3d6fbd587a3639368e4098205c6bcbd6121f",
      "payload_size": 150,
      "payload": "{\"specversion\":\"1.0\",\"id\":\"evt_1\",\"source\":\"/shop/orders\",\"type\":\"shop.order.placed.v1\",\"time\":\"2026-08-21T09:30:00.000Z\",\"subject\":\"ord_1\",\"data\":{}}",
      "previous": "94b20ea19d965794b95bf8a160eb9793e3aad9d97021bf76d9312b1be46a1969",
      "hash": "4561cfd996b3258667043e60655696e7ba3a2743d64f93869098b49078d8ae11"
    }
    "#);
}

#[test]
fn the_means_of_payment_is_not_kept_and_the_rest_is() {
    let bytes = message(
        "evt_1",
        &json!({"order": "ord_1", "payment": {"token": "tok_secret"}}),
    );
    let read = Message::read(&bytes).unwrap();
    assert_eq!(read.digest, Digest::of(&bytes));
    assert!(
        !read.kept.contains("tok_secret") && read.kept.contains(r#""payment":"withheld""#),
        "{}",
        read.kept
    );
    // Of other messages each byte is.
    let bytes = message("evt_1", &json!({"order":  "ord_1"}));
    assert_eq!(Message::read(&bytes).unwrap().kept.as_bytes(), bytes);
}

#[test]
fn a_long_message_is_recorded_by_its_digest() {
    let bytes = message("evt_1", &json!("x".repeat(LONGEST_PAYLOAD)));
    let (entry, _) = Head::new(7).append(Message::read(&bytes).unwrap(), AT.to_owned());
    assert_eq!(
        (entry.payload, entry.payload_size),
        (None, bytes.len() as u64)
    );
    assert_eq!(entry.payload_digest, Digest::of(&bytes));
}

#[test]
fn what_is_no_event_or_too_long_is_refused() {
    assert!(matches!(Message::read(b"hello"), Err(Refusal::NoEvent(_))));
    assert!(matches!(
        Message::read(b"{\"id\":\"\xff\"}"),
        Err(Refusal::NoEvent(_))
    ));
    assert!(matches!(Message::read(b"{}"), Err(Refusal::NoEvent(_))));
    let long = message(&"x".repeat(2_000), &json!({}));
    assert_eq!(Message::read(&long), Err(Refusal::TooLong("id")));
}

#[test]
fn the_same_id_with_other_words_is_another_message() {
    let mark = |id: &str, data: Value| Message::read(&message(id, &data)).unwrap().mark();
    assert_eq!(mark("evt_1", json!(1)), mark("evt_1", json!(1)));
    assert_ne!(mark("evt_1", json!(1)), mark("evt_1", json!(2)));
    assert_ne!(mark("evt_1", json!(1)), mark("evt_2", json!(1)));
}

#[test]
fn subjects_are_spread_over_all_chains() {
    let used: BTreeSet<u32> = (0..1_000)
        .map(|number| chain_of(&format!("ord_{number}")))
        .collect();
    assert_eq!(used, (0..CHAINS).collect());
    assert_eq!(chain_of("ord_1"), chain_of("ord_1"));
}

proptest! {
    #[test]
    fn whatever_is_changed_is_found_out(count in 1_usize..6, at in any::<prop::sample::Index>(), what in 0..13) {
        let mut entries = chain(count);
        prop_assert!(holds(&entries));
        let at = at.index(count);
        let entry = &mut entries[at];
        let other = Digest::of(b"other");
        match what {
            0 => entry.chain += 1,
            1 => entry.number += 1,
            2 => entry.recorded_at.push('0'),
            3 => entry.event.id.push('0'),
            4 => entry.event.source.push('0'),
            5 => entry.event.kind.push('0'),
            6 => entry.event.subject.push('0'),
            7 => entry.event.time.push('0'),
            8 => entry.digest = other,
            9 => entry.payload_digest = other,
            10 => entry.payload_size += 1,
            11 => entry.previous = other,
            _ => entry.payload = Some("{}".to_owned()),
        }
        prop_assert!(!holds(&entries));
        // A new hash that fits the entry no longer fits the next one.
        if (2..=8).contains(&what) && at + 1 < count {
            entries[at].hash = form::hash(&entries[at]);
            prop_assert!(!holds(&entries));
        }
    }

    #[test]
    fn an_entry_cannot_be_taken_out_or_put_elsewhere(count in 3_usize..7, at in any::<prop::sample::Index>()) {
        let entries = chain(count);
        let at = at.index(count - 1);
        let mut without = entries.clone();
        without.remove(at);
        prop_assert!(!holds(&without));
        let mut swapped = entries;
        swapped.swap(at, at + 1);
        prop_assert!(!holds(&swapped));
    }

    #[test]
    fn fields_are_never_taken_for_parts_of_each_other(a in "[0-9:,a]{0,6}", b in "[0-9:,a]{0,6}", c in "[0-9:,a]{0,6}") {
        let joined = format!("{a}{b}");
        if !b.is_empty() {
            prop_assert_ne!(Digest::of_fields(&[&a, &b, &c]), Digest::of_fields(&[&joined, "", &c]));
        }
        prop_assert_ne!(Digest::of_fields(&[&a, &b]), Digest::of_fields(&[&a, &b, &c]));
    }

    #[test]
    fn pages_put_together_are_the_chain(entries in 0_u64..50, size in 1_u64..9) {
        let (mut seen, mut after) = (Vec::<u64>::new(), 0);
        loop {
            let (numbers, more) = page(entries, after, size);
            seen.extend(&numbers);
            after = numbers.last().copied().unwrap_or(after);
            if !more {
                break;
            }
        }
        prop_assert_eq!(seen, (1..=entries).collect::<Vec<_>>());
        prop_assert_eq!(page(entries, u64::MAX, size), (Vec::new(), false));
    }
}
