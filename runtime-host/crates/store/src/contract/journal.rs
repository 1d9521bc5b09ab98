//! Journals: their entries, and their owners.

pub mod model;

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use skald_core::saga::{
    RunId,
    journal::{Append, AppendError, Filter, Journal, Standing, Summary},
};
use tokio::task::JoinSet;

use super::at;

/// The beginning of a run, by its first owner.
pub(crate) fn begin(run: &str) -> Append {
    Append {
        sequence: 1,
        entry: Bytes::from(format!("entry 1 of {run}")),
        summary: Summary {
            run: RunId::from(run),
            component: "checkout".to_owned(),
            revision: "sha256:1".to_owned(),
            key: format!("key of {run}"),
            subject: format!("subject of {run}"),
            standing: Standing::Running,
            note: String::new(),
            started_at: at(0),
            updated_at: at(0),
            due: None,
            epoch: 1,
            records: 1,
            bytes: 10,
        },
    }
}

/// What the same owner adds after it.
pub(crate) fn next(after: &Append) -> Append {
    let sequence = after.sequence + 1;
    let mut next = after.clone();
    next.sequence = sequence;
    next.entry = Bytes::from(format!("entry {sequence} of {}", after.summary.run));
    next.summary.records += 1;
    next.summary.bytes += 10;
    next.summary.updated_at = at(sequence);
    next
}

fn by(mut append: Append, epoch: u64) -> Append {
    append.summary.epoch = epoch;
    append
}

pub(crate) fn standing(mut append: Append, standing: Standing) -> Append {
    append.summary.standing = standing;
    append
}

/// All entries of a run.
pub(crate) async fn entries(store: &impl Journal, run: &RunId) -> Vec<Bytes> {
    store.entries(run, 0, usize::MAX).await.unwrap()
}

/// All runs.
pub(crate) fn all() -> Filter {
    Filter {
        limit: usize::MAX,
        ..Filter::default()
    }
}

/// Asserts that an entry is refused because the journal goes on elsewhere.
async fn conflicts(store: &impl Journal, append: Append, goes_on_at: u64) {
    match store.append(append).await {
        Err(AppendError::Conflict { expected }) => assert_eq!(expected, goes_on_at),
        other => panic!("expected a conflict, got {other:?}"),
    }
}

async fn is_fenced(store: &impl Journal, append: Append, by: u64) {
    match store.append(append).await {
        Err(AppendError::Fenced { epoch }) => assert_eq!(epoch, by),
        other => panic!("expected a fence, got {other:?}"),
    }
}

/// Byte for byte, with all that the list says.
pub async fn an_entry_is_read_back_with_what_the_list_says<S: Journal>(store: Arc<S>) {
    let large: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let mut first = begin("run_1");
    first.entry = Bytes::from(large);
    first.summary.note = "ünï\0cödé 🍏".to_owned();
    first.summary.due = Some(at(77));
    let mut second = next(&first);
    second.entry = Bytes::new();
    let run = first.summary.run.clone();
    assert_eq!(store.find(&run).await.unwrap(), None);
    assert!(entries(&*store, &run).await.is_empty());

    store.append(first.clone()).await.unwrap();
    assert_eq!(store.find(&run).await.unwrap().unwrap(), first.summary);

    second.summary = Summary {
        run: run.clone(),
        component: "other".to_owned(),
        revision: "sha256:2".to_owned(),
        key: "another".to_owned(),
        subject: String::new(),
        standing: Standing::Parked,
        note: "why".to_owned(),
        started_at: at(1),
        updated_at: at(2),
        due: None,
        epoch: 3,
        records: u32::MAX,
        bytes: 1 << 40,
    };
    store.append(second.clone()).await.unwrap();
    assert_eq!(store.find(&run).await.unwrap().unwrap(), second.summary);
    assert_eq!(store.list(&all()).await.unwrap(), [second.summary]);
    assert_eq!(entries(&*store, &run).await, [first.entry, second.entry]);
}

/// However old it is, as long as nobody else has the run.
pub async fn an_entry_said_again_is_written_once<S: Journal>(store: Arc<S>) {
    let first = begin("run_1");
    let second = next(&first);
    for append in [&first, &first, &second, &second, &first] {
        store.append(append.clone()).await.unwrap();
    }
    let run = &first.summary.run;
    assert_eq!(store.find(run).await.unwrap().unwrap(), second.summary);
    assert_eq!(
        entries(&*store, run).await,
        [&first.entry, &second.entry].map(Clone::clone)
    );
    // The same said by the next owner is not the same: it did not know that it had been said.
    conflicts(&*store, by(second, 2), 3).await;
}

/// Neither in place of one that is there, nor with a gap before it; and nothing is left of what was refused.
pub async fn an_entry_out_of_place_conflicts<S: Journal>(store: Arc<S>) {
    let first = begin("run_1");
    let run = &first.summary.run;
    conflicts(&*store, next(&first), 1).await;
    assert_eq!(store.find(run).await.unwrap(), None);
    store.append(first.clone()).await.unwrap();
    let mut other = standing(first.clone(), Standing::Failed);
    other.entry = Bytes::from("another");
    conflicts(&*store, other.clone(), 2).await;
    for sequence in [0, 3, u64::MAX] {
        other.sequence = sequence;
        conflicts(&*store, by(other.clone(), 2), 2).await;
    }
    assert_eq!(store.find(run).await.unwrap().unwrap(), first.summary);
    assert_eq!(entries(&*store, run).await, [first.entry]);
}

/// Whatever it says; the fence comes before the place.
pub async fn an_owner_is_fenced_off_by_the_next_one<S: Journal>(store: Arc<S>) {
    let first = begin("run_1");
    let second = by(next(&first), 5);
    let third = by(next(&second), 4);
    store.append(first.clone()).await.unwrap();
    store.append(second.clone()).await.unwrap();
    for append in [&first, &third, &by(next(&third), 1)] {
        is_fenced(&*store, append.clone(), 5).await;
    }
    let run = &first.summary.run;
    assert_eq!(store.find(run).await.unwrap().unwrap(), second.summary);
    assert_eq!(entries(&*store, run).await.len(), 2);
    store.append(by(third, 5)).await.unwrap();
}

/// Rivals of one epoch that do not know of each other, at once.
pub async fn a_place_has_one_entry_whoever_asks_for_it<S: Journal>(store: Arc<S>) {
    let first = begin("run_1");
    let mut rivals = JoinSet::new();
    for rival in 0..8 {
        rivals.spawn(wins(Arc::clone(&store), first.clone(), rival));
    }
    let won: BTreeSet<Bytes> = rivals.join_all().await.into_iter().flatten().collect();
    let kept = entries(&*store, &first.summary.run).await;
    assert_eq!(kept.len(), 20);
    assert_eq!(kept.into_iter().collect::<BTreeSet<_>>(), won);
}

/// The entries that a rival could add when it asked for twenty places, one after the other.
async fn wins<S: Journal>(store: Arc<S>, mut append: Append, rival: u8) -> Vec<Bytes> {
    let mut won = Vec::new();
    for _ in 0..20 {
        append.entry = Bytes::from(format!("{} of {rival}", append.sequence));
        match store.append(append.clone()).await {
            Ok(()) => won.push(append.entry.clone()),
            Err(AppendError::Conflict { expected }) => assert!(expected > append.sequence),
            Err(other) => panic!("{other}"),
        }
        append = next(&append);
    }
    won
}

/// All of them are asked for at once, so that they may share a commit.
pub async fn a_refused_entry_does_not_take_its_neighbours_along<S: Journal>(store: Arc<S>) {
    let taken = begin("taken");
    store.append(by(taken.clone(), 9)).await.unwrap();
    let mut appends = JoinSet::new();
    for n in 0..60 {
        let (store, append) = (Arc::clone(&store), begin(&format!("run_{n}")));
        let append = match n % 3 {
            0 => taken.clone(),
            1 => next(&append),
            _ => append,
        };
        appends.spawn(async move { (n % 3, store.append(append).await) });
    }
    for (kind, outcome) in appends.join_all().await {
        match (kind, outcome) {
            (0, Err(AppendError::Fenced { epoch: 9 }))
            | (1, Err(AppendError::Conflict { expected: 1 }))
            | (2, Ok(())) => {}
            (kind, other) => panic!("{kind}: {other:?}"),
        }
    }
    assert_eq!(store.list(&all()).await.unwrap().len(), 21);
}

/// After any number, also one that is not there yet.
pub async fn entries_come_in_order_and_in_pages<S: Journal>(store: Arc<S>) {
    let mut append = begin("run_1");
    let mut expected = Vec::new();
    store.append(begin("run_0")).await.unwrap();
    for _ in 0..12 {
        store.append(append.clone()).await.unwrap();
        expected.push(append.entry.clone());
        append = next(&append);
    }
    store.append(begin("run_2")).await.unwrap();
    let run = &append.summary.run;
    assert_eq!(store.entries(run, 0, 5).await.unwrap(), expected[..5]);
    assert_eq!(store.entries(run, 5, 5).await.unwrap(), expected[5..10]);
    assert_eq!(store.entries(run, 10, 5).await.unwrap(), expected[10..]);
    assert!(store.entries(run, 12, 5).await.unwrap().is_empty());
    assert!(store.entries(run, u64::MAX, 5).await.unwrap().is_empty());
    assert!(store.entries(run, 0, 0).await.unwrap().is_empty());
}

/// With its journal; another run by the same name begins from the beginning.
pub async fn only_a_run_that_has_ended_is_purged<S: Journal>(store: Arc<S>) {
    let kept = begin("run_0");
    store.append(kept.clone()).await.unwrap();
    for last in Standing::ALL {
        let first = begin("run_1");
        let run = &first.summary.run;
        assert!(!store.purge(run).await.unwrap());
        store.append(first.clone()).await.unwrap();
        let second = standing(next(&first), last);
        store.append(second.clone()).await.unwrap();
        assert_eq!(store.purge(run).await.unwrap(), last.is_end(), "{last:?}");
        let left = entries(&*store, run).await.len();
        assert_eq!(left, if last.is_end() { 0 } else { 2 }, "{last:?}");
        assert_eq!(store.find(run).await.unwrap().is_none(), last.is_end());
        if !last.is_end() {
            let third = standing(next(&second), Standing::Completed);
            store.append(third).await.unwrap();
            assert!(store.purge(run).await.unwrap());
        }
        conflicts(&*store, second, 1).await;
    }
    assert_eq!(entries(&*store, &kept.summary.run).await.len(), 1);
    assert_eq!(store.list(&all()).await.unwrap(), [kept.summary]);
}
