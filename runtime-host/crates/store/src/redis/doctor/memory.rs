//! Whether there is room, and what happens when there is none.

use super::{Finding, Stake, servers::Facts};

/// From how much of its memory on a server counts as nearly full, in percent. A rewrite of its file can take as much again
/// as what changes meanwhile.
const NEARLY_FULL: u64 = 80;

pub(super) fn room(facts: &Facts) -> Finding {
    const CHECK: &str = "maxmemory";
    let (used, most) = (
        facts.number("used_memory").unwrap_or_default(),
        facts.number("maxmemory").unwrap_or_default(),
    );
    if most == 0 {
        return Finding::new(CHECK, format!("no limit, {} used", size(used))).of(facts);
    }
    let percent = used.saturating_mul(100) / most;
    let found = format!("{}, {percent} % used", size(most));
    let finding = Finding::new(CHECK, found).of(facts);
    if percent >= NEARLY_FULL {
        finding.weak(
            Stake::Service,
            "When it is full, commits fail until there is room (STORE-001).",
            "give it more memory, or keep events for a shorter time",
        )
    } else {
        finding
    }
}

/// A policy that may hit any key, with a limit at which it will, is no place for data, whoever accepts the risk.
pub(super) fn eviction(facts: &Facts) -> Finding {
    let has_limit = facts.number("maxmemory").is_some_and(|most| most > 0);
    let policy = facts.info("maxmemory_policy").unwrap_or("cannot be seen");
    let finding = Finding::new("maxmemory-policy", policy).of(facts);
    match policy {
        "noeviction" => finding,
        "cannot be seen" => finding.weak(
            Stake::Data,
            "A server that evicts keys when it is full throws state away.",
            "let the user run INFO, or have its operator confirm `maxmemory-policy noeviction`",
        ),
        _ if has_limit && policy.starts_with("allkeys") => finding.unusable(
            "When its memory is full it throws keys away: state, events and journals.",
            "CONFIG SET maxmemory-policy noeviction",
        ),
        _ => finding.weak(
            Stake::Data,
            "When its memory is full it throws keys away: state, events and journals.",
            "CONFIG SET maxmemory-policy noeviction",
        ),
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const STEPS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let step = STEPS.into_iter().find(|(unit, _)| bytes >= *unit);
    step.map_or_else(
        || format!("{bytes} B"),
        |(unit, name)| {
            let tenths = u128::from(bytes) * 10 / u128::from(unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        },
    )
}
