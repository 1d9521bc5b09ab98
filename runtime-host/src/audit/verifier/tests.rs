//! What is found wrong, and in which words.

use super::*;
use crate::audit::entry::Attributes;

fn chain(chain: u32, count: u64) -> Vec<Entry> {
    let mut head = empty(chain);
    let mut entries = Vec::new();
    for number in 1..=count {
        let payload = format!("{{\"number\":{number}}}");
        let mut entry = Entry {
            chain,
            number,
            recorded_at: "2026-08-21T09:30:00.000Z".to_owned(),
            event: Attributes {
                id: format!("evt_{number}"),
                source: "/shop/orders".to_owned(),
                kind: "shop.order.placed.v1".to_owned(),
                subject: "ord_1".to_owned(),
                time: "2026-08-21T09:30:00.000Z".to_owned(),
            },
            digest: digest(payload.as_bytes()),
            payload_digest: digest(payload.as_bytes()),
            payload_size: payload.len() as u64,
            payload: Some(payload),
            previous: head.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.proper_hash();
        head.hash.clone_from(&entry.hash);
        entries.push(entry);
    }
    entries
}

/// The head after these entries.
fn head(entries: &[Entry]) -> Head {
    let last = entries.last().unwrap();
    Head {
        chain: last.chain,
        entries: last.number,
        hash: last.hash.clone(),
    }
}

fn follow(entries: &[Entry], heads: Vec<Head>) -> (Vec<Head>, String) {
    let mut verifier = Verifier::default();
    verifier.expect(heads, "heads.json");
    for entry in entries {
        verifier.take(entry);
    }
    let (heads, findings) = verifier.end();
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    // A few digits tell hashes apart.
    let short = |word: &str| match word.trim_end_matches(',').len() {
        64 => format!("{}…", word.get(..6).unwrap_or_default()),
        _ => word.to_owned(),
    };
    let words = |line: &String| line.split(' ').map(short).collect::<Vec<_>>().join(" ");
    (
        heads,
        lines.iter().map(words).collect::<Vec<_>>().join("\n"),
    )
}

fn found(change: impl FnOnce(&mut Vec<Entry>)) -> String {
    let mut entries = chain(7, 4);
    change(&mut entries);
    follow(&entries, Vec::new()).1
}

#[test]
fn chains_that_are_as_they_were_written_are_followed_to_their_ends() {
    let (one, other) = (chain(7, 4), chain(8, 2));
    // Entries of different chains may come in any order.
    let mixed = [&one[..1], &other, &one[1..]].concat();
    let known = vec![head(&one[..2]), head(&other), empty(9)];
    let (heads, words) = follow(&mixed, known);
    assert_eq!(
        (heads, words.as_str()),
        (vec![head(&one), head(&other)], "")
    );
}

#[test]
fn the_first_entry_that_is_wrong_is_told_with_what_is_wrong_about_it() {
    let told = [
        found(|all| all[1].event.subject = "ord_2".to_owned()),
        found(|all| all[1].payload = Some(r#"{"number":9}"#.to_owned())),
        found(|all| all[1].payload = Some(String::new())),
        found(|all| all[1].payload = None),
        found(|all| drop(all.remove(1))),
        found(|all| all.insert(1, all[0].clone())),
    ];
    insta::assert_snapshot!(told.join("\n"), @"
    chain 7, entry 2: its hash: expected 13b47f… found 8605ad…
    chain 7, entry 2: the digest of its payload: expected d65dc3… found 427b26…
    chain 7, entry 2: the size of its payload: expected 12, found 0
    chain 7, entry 2: its payload: expected 12 bytes, found none
    chain 7, entry 2: its number: expected 2, found 3
    chain 7, entry 2: its number: expected 2, found 1
    ");
}

#[test]
fn an_entry_with_a_new_hash_does_not_fit_the_next_one() {
    let words = found(|all| {
        all[1].recorded_at = "2026-08-22T09:30:00.000Z".to_owned();
        all[1].hash = all[1].proper_hash();
    });
    insta::assert_snapshot!(words.trim_start(), @"chain 7, entry 3: the hash of the entry before: expected 38b78d… found 8605ad…");
}

#[test]
fn whatever_is_changed_in_whichever_entry_is_found_in_that_entry() {
    let changes: [fn(&mut Entry); 12] = [
        |entry| entry.number += 1,
        |entry| entry.recorded_at.push('0'),
        |entry| entry.event.id.push('0'),
        |entry| entry.event.source.push('0'),
        |entry| entry.event.kind.push('0'),
        |entry| entry.event.subject.clear(),
        |entry| entry.event.time.push('0'),
        |entry| entry.digest.push('0'),
        |entry| entry.payload_digest.push('0'),
        |entry| entry.payload_size += 1,
        |entry| entry.previous.push('0'),
        |entry| entry.hash.push('0'),
    ];
    for at in 0..4 {
        for (which, change) in changes.iter().enumerate() {
            let words = found(|all| change(&mut all[at]));
            let place = format!("chain 7, entry {}: ", at + 1);
            assert!(
                words.trim_start().starts_with(&place),
                "change {which}: {words}"
            );
            assert_eq!(words.lines().count(), 1, "change {which}: {words}");
        }
    }
}

#[test]
fn a_chain_that_was_cut_or_written_anew_is_found_by_its_head() {
    let entries = chain(7, 4);
    let known = head(&entries);
    let mut anew = chain(7, 5);
    for at in 0..5 {
        anew[at].recorded_at = "2026-08-22T09:30:00.000Z".to_owned();
        anew[at].previous = at
            .checked_sub(1)
            .map_or(genesis(7), |before| anew[before].hash.clone());
        anew[at].hash = anew[at].proper_hash();
    }
    assert_eq!(follow(&anew, Vec::new()).1, "");
    let told = [&entries[..2], &[], &anew].map(|entries| follow(entries, vec![known.clone()]).1);
    insta::assert_snapshot!(told.join("\n"), @"
    chain 7, entry 3: the number of entries, by heads.json: expected 4 or more, found 2
    chain 7, entry 1: the number of entries, by heads.json: expected 4 or more, found 0
    chain 7, entry 4: its hash, by heads.json: expected e5c48e… found 9076c7…
    ");
}

#[test]
fn a_long_message_is_only_there_by_its_digest() {
    let mut entry = chain(7, 1).remove(0);
    entry.payload = None;
    entry.payload_size = LONGEST_PAYLOAD + 1;
    entry.hash = entry.proper_hash();
    assert_eq!(follow(&[entry], Vec::new()).1, "");
}
