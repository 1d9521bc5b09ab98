//! Takes out of texts what differs from run to run, so that the rest can be a snapshot.

use serde_json::Value;

use crate::places;

/// A problem as it was answered, a member a line, without its trace.
pub fn problem(body: &Value) -> String {
    let mut body = body.clone();
    if let Some(trace) = body.get_mut("trace_id") {
        *trace = Value::from("[trace]");
    }
    serde_json::to_string_pretty(&body).unwrap_or_default()
}

/// What `skald saga` tells of runs, without times, ids and how long anything took.
pub fn story(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| match line.split('│').collect::<Vec<_>>()[..] {
            // The offset, the picture of it, and what happened.
            [_, _, what] => without_time(what),
            _ => without_size(line),
        });
    let lines: Vec<String> = lines.map(|line| named(&line)).collect();
    lines.join("\n")
}

/// How long a step took stands last in its line.
fn without_time(what: &str) -> String {
    match what.rsplit_once(" after ") {
        Some((before, time)) if time.starts_with(|char: char| char.is_ascii_digit()) => {
            format!("{before} after [time]")
        }
        _ => what.to_owned(),
    }
}

/// The length of a journal differs with the lengths of times.
fn without_size(line: &str) -> String {
    match line.rsplit_once(" records, ") {
        Some((records, _)) => format!("{records} records, [size]"),
        None => line.to_owned(),
    }
}

/// Ids and times are replaced by what they are.
fn named(line: &str) -> String {
    let (mut words, mut word) = (String::new(), String::new());
    for char in line.chars().chain(['\n']) {
        if char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | ':' | '.') {
            word.push(char);
            continue;
        }
        words.push_str(&of_its_kind(&word));
        words.push(char);
        word.clear();
    }
    words.trim_end().to_owned()
}

/// RFC 3339 in UTC, with as many digits as the moment needs.
fn is_time(word: &str) -> bool {
    word.len() >= "2026-01-01T00:00:00Z".len()
        && word.starts_with("20")
        && word.contains('T')
        && word.ends_with('Z')
}

fn of_its_kind(word: &str) -> String {
    let end = word.trim_end_matches(['.', ':']);
    let rest = word.get(end.len()..).unwrap_or_default();
    let kinds = [
        ("run_", "[run]"),
        ("ord_", "[order]"),
        ("evt_", "[event]"),
        ("usr_", "[user]"),
    ];
    let id = kinds.iter().find(|(prefix, _)| end.starts_with(prefix));
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let kind = match id {
        Some((_, kind)) => kind,
        None if is_time(end) => "[time]",
        None if matches!(end.len(), 12 | 64) && is_hex(end) => "[revision]",
        None if end.starts_with("NP-") => "[tracking]",
        None => end,
    };
    format!("{kind}{rest}")
}

/// A message of the command line without the folders of this machine. `root` is the manifest's.
pub fn message(text: &str, root: &std::path::Path) -> String {
    let workspace = places::workspace();
    let text = text.replace(&*root.to_string_lossy(), "[root]");
    let text = text.replace(&*workspace.to_string_lossy(), "[workspace]");
    text.trim_end().to_owned()
}
