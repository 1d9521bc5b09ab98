//! Sudden death: of the process, and of the machine half-way through a write.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Write, stdout},
    path::Path,
    process::{Command, Stdio},
};

use bytes::Bytes;
use skald_core::{
    saga::{
        RunId,
        journal::{AppendError, Journal},
    },
    store::{Change, Store},
};
use tokio::task::JoinSet;

use crate::{
    Config, Embedded,
    contract::{
        at, commit, event,
        journal::{begin, entries, next},
        key,
        log::read,
        value,
    },
};

/// Where the child finds the data; set only by the test that starts it.
const DATA: &str = "SKALD_STORE_TEST_DATA";

/// A unit that can be seen to be whole: two keys and an event, all with the same number.
fn unit(stem: &str, n: usize) -> Change {
    let bytes = || Some(Bytes::from(n.to_string()));
    Change {
        writes: vec![(key("left", stem), bytes()), (key("right", stem), bytes())],
        events: vec![event(stem, &n.to_string())],
        ..Change::default()
    }
}

/// The number of the newest unit of `stem`. Fails if it is not whole, or if one before it is missing.
async fn newest(store: &Embedded, stem: &str) -> usize {
    let (left, right) = (
        value(store, &key("left", stem)).await,
        value(store, &key("right", stem)).await,
    );
    assert_eq!(left, right, "half a unit of {stem}");
    let newest = left.map_or(0, |n| n.parse().unwrap());
    let events = read(store, &[stem], 0, usize::MAX).await;
    let numbers: Vec<usize> = events
        .iter()
        .map(|event| str::from_utf8(&event.payload).unwrap().parse().unwrap())
        .collect();
    assert_eq!(
        numbers,
        (1..=newest).collect::<Vec<_>>(),
        "the events of {stem}"
    );
    newest
}

/// The number of the newest entry of a run. Fails if the list does not agree, or if one before it is missing.
async fn newest_entry(store: &Embedded, run: &str) -> usize {
    let entries = entries(store, &RunId::from(run)).await;
    let mut append = begin(run);
    for entry in &entries {
        assert_eq!(*entry, append.entry);
        append = next(&append);
    }
    let summary = store.find(&append.summary.run).await.unwrap();
    let records = summary.map_or(0, |summary| summary.records);
    assert_eq!(usize::try_from(records).unwrap(), entries.len());
    let expected = append.sequence;
    let outcome = store.append(next(&append)).await;
    assert!(
        matches!(outcome, Err(AppendError::Conflict { expected: there }) if there == expected),
        "{outcome:?}"
    );
    entries.len()
}

fn copy(from: &Path, to: &Path) {
    for file in ["skald.db", "skald.db-wal"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

#[tokio::test]
async fn a_log_that_ends_anywhere_holds_exactly_the_units_before_its_end() {
    const UNITS: usize = 12;
    let (directory, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Embedded::open(Config::new(directory.path())).unwrap();
    let length = || {
        fs::metadata(directory.path().join("skald.db-wal"))
            .unwrap()
            .len()
    };
    // The tables are in the log too, and a machine that dies before they are there leaves an empty store.
    let mut ends = vec![length()];
    for n in 1..=UNITS {
        commit(&store, unit("units", n)).await;
        ends.push(length());
    }
    copy(directory.path(), image.path());
    let edges = ends.iter().flat_map(|end| [end - 1, *end, end + 1]);
    for cut in (0..*ends.last().unwrap()).step_by(5_003).chain(edges) {
        let torn = tempfile::tempdir().unwrap();
        copy(image.path(), torn.path());
        fs::File::options()
            .write(true)
            .open(torn.path().join("skald.db-wal"))
            .unwrap()
            .set_len(cut)
            .unwrap();
        let opened = Embedded::open(Config::new(torn.path())).unwrap();
        let whole = ends
            .iter()
            .filter(|end| **end <= cut)
            .count()
            .saturating_sub(1);
        assert_eq!(
            newest(&opened, "units").await,
            whole,
            "cut at {cut} of {ends:?}"
        );
        // And it goes on from there.
        commit(&opened, unit("units", whole + 1)).await;
        assert_eq!(newest(&opened, "units").await, whole + 1);
    }
}

#[tokio::test]
async fn garbage_at_the_end_of_the_log_is_not_taken_for_a_unit() {
    let (directory, torn) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Embedded::open(Config::new(directory.path())).unwrap();
    let log = directory.path().join("skald.db-wal");
    for n in 1..=5 {
        commit(&store, unit("units", n)).await;
    }
    let end = usize::try_from(fs::metadata(&log).unwrap().len()).unwrap();
    commit(&store, unit("units", 6)).await;
    copy(directory.path(), torn.path());
    let mut bytes = fs::read(torn.path().join("skald.db-wal")).unwrap();
    bytes[end + 1_000] ^= 1;
    fs::write(torn.path().join("skald.db-wal"), bytes).unwrap();
    let opened = Embedded::open(Config::new(torn.path())).unwrap();
    assert_eq!(newest(&opened, "units").await, 5);
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    for acknowledged in [1, 40, 400, 1_500] {
        let directory = tempfile::tempdir().unwrap();
        let acknowledged = kill_after(directory.path(), acknowledged);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = Embedded::open(Config::new(directory.path())).unwrap();
            for writer in 0..WRITERS {
                let promised = acknowledged
                    .iter()
                    .filter(|line| line.0 == writer)
                    .map(|line| line.1)
                    .max();
                let kept = newest_of(&store, writer).await;
                assert!(
                    kept >= promised.unwrap_or(0),
                    "{kept} of {promised:?} of writer {writer}"
                );
            }
        });
    }
}

async fn newest_of(store: &Embedded, writer: usize) -> usize {
    let name = writer.to_string();
    if writer < OWNERS {
        newest_entry(store, &name).await
    } else {
        newest(store, &name).await
    }
}

/// Starts this program again as the child, kills it after so many acknowledged units, and answers with all of them.
fn kill_after(directory: &Path, count: usize) -> Vec<(usize, usize)> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "tests::crash::the_child_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(DATA, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // The harness of the child has things of its own to say.
        acknowledged.extend(line.unwrap().strip_prefix("done ").and_then(parse));
        if acknowledged.len() == count {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= count, "the child ended by itself");
    acknowledged
}

/// None for a line that was cut off.
fn parse(line: &str) -> Option<(usize, usize)> {
    let (writer, n) = line.strip_suffix('.')?.split_once(' ')?;
    Some((writer.parse().ok()?, n.parse().ok()?))
}

const WRITERS: usize = 16;

/// The first of the writers add to a journal each, the others commit units.
const OWNERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is started by the test that kills it, and ends in no other way"]
async fn the_child_that_is_killed() {
    let Some(directory) = env::var_os(DATA) else {
        return;
    };
    let store = Embedded::open(Config::new(OsString::from(&directory))).unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        if writer < OWNERS {
            writers.spawn(append_for_ever(store.clone(), writer));
        } else {
            writers.spawn(write_for_ever(store.clone(), writer));
        }
    }
    writers.join_all().await;
}

async fn write_for_ever(store: Embedded, writer: usize) {
    for n in 1.. {
        store
            .commit(unit(&writer.to_string(), n), at(0))
            .await
            .unwrap();
        tell(writer, n);
    }
}

async fn append_for_ever(store: Embedded, writer: usize) {
    let mut append = begin(&writer.to_string());
    for n in 1.. {
        store.append(append.clone()).await.unwrap();
        tell(writer, n);
        append = next(&append);
    }
}

/// In one piece, past the harness, which would keep it until the end.
fn tell(writer: usize, n: usize) {
    let line = format!("done {writer} {n}.\n");
    stdout().lock().write_all(line.as_bytes()).unwrap();
}
