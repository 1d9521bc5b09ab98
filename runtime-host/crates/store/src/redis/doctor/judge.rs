//! What a server says of itself, judged: its version, its role, and how it keeps what it is told.

use super::{Finding, Stake, servers::Facts};

/// The oldest version that has all that the adapter's scripts use.
const OLDEST: (u32, u32) = (7, 0);

pub(super) fn version(facts: &Facts) -> Finding {
    let Some(text) = facts.info("redis_version") else {
        return Finding::new("version", "cannot be seen").of(facts).weak(
            Stake::Service,
            "Versions before 7.0 do not work.",
            "let the user run INFO",
        );
    };
    let finding = Finding::new("version", text).of(facts);
    let mut numbers = text.split('.').map(|number| number.parse::<u32>().ok());
    let version = (
        numbers.next().flatten().unwrap_or_default(),
        numbers.next().flatten().unwrap_or_default(),
    );
    if version >= OLDEST {
        finding
    } else {
        finding.unusable(
            "Scripts that commit use commands that it does not have.",
            "install Redis 7.0 or newer",
        )
    }
}

pub(super) fn role(facts: &Facts) -> Finding {
    match facts.info("role") {
        Some("master") => Finding::new("role", "primary").of(facts),
        Some("slave") => {
            let of = |name| facts.info(name).unwrap_or("?");
            let found = format!("replica of {}:{}", of("master_host"), of("master_port"));
            Finding::new("role", found).of(facts).unusable(
                "A replica takes no writes.",
                "name the primary, or let Sentinel or the cluster name it: redis+sentinel://… or redis+cluster://…",
            )
        }
        other => Finding::new("role", other.unwrap_or("unknown"))
            .of(facts)
            .weak(
                Stake::Service,
                "It cannot be seen whether it takes writes.",
                "let the user run INFO",
            ),
    }
}

/// Replicas copy what was answered already: one that takes over lacks what it has not copied.
pub(super) fn replicas(facts: &Facts) -> Finding {
    let count = facts.number("connected_slaves").unwrap_or_default();
    if count == 0 {
        return Finding::new("replicas", "none").of(facts);
    }
    let least = facts.setting("min-replicas-to-write").unwrap_or("unknown");
    let lag = facts.setting("min-replicas-max-lag").unwrap_or("unknown");
    let found = format!("{count}, at least {least} within {lag} s to write");
    let finding = Finding::new("replicas", found).of(facts);
    if matches!(least, "0" | "unknown") {
        finding.weak(
            Stake::Data,
            "A replica that takes over lacks what it has not copied yet, however much that is: commits that were answered \
             are lost.",
            "CONFIG SET min-replicas-to-write 1 bounds it; accept the rest, or do without failover",
        )
    } else {
        let risk = format!(
            "A replica that takes over lacks what it has not copied yet: up to {lag} s of commits that were answered are lost."
        );
        finding.weak(
            Stake::Data,
            risk,
            "CONFIG SET min-replicas-max-lag 1 bounds it further; accept the rest, or do without failover",
        )
    }
}

pub(super) fn append_only(facts: &Facts) -> Finding {
    const CHECK: &str = "appendonly";
    // What INFO says is seen also where CONFIG is hidden.
    match facts.info("aof_enabled") {
        Some("1") => Finding::new(CHECK, "yes").of(facts),
        Some(_) => {
            let snapshots = match facts.setting("save") {
                Some("") => "no snapshots either",
                _ => "snapshots only",
            };
            Finding::new(CHECK, format!("no, {snapshots}")).of(facts).weak(
                Stake::Data,
                "A crash loses all that was committed since the last snapshot; without snapshots, everything.",
                "CONFIG SET appendonly yes",
            )
        }
        None => hidden(CHECK, facts, "INFO"),
    }
}

pub(super) fn flush(facts: &Facts) -> Finding {
    const CHECK: &str = "appendfsync";
    if facts.info("aof_enabled") == Some("0") {
        return Finding::new(CHECK, "of no effect without appendonly").of(facts);
    }
    let Some(found) = facts.setting("appendfsync") else {
        return hidden(CHECK, facts, "CONFIG GET");
    };
    let pauses = facts.setting("no-appendfsync-on-rewrite") == Some("yes");
    let found = if pauses {
        format!("{found}, not while the file is rewritten")
    } else {
        found.to_owned()
    };
    let finding = Finding::new(CHECK, found.as_str()).of(facts);
    match found.as_str() {
        "always" => finding,
        _ if pauses => finding.weak(
            Stake::Data,
            "A machine that dies while the file is rewritten loses what was committed meanwhile, up to half a minute.",
            "CONFIG SET no-appendfsync-on-rewrite no",
        ),
        "everysec" => finding.weak(
            Stake::Data,
            "A machine that dies loses the last second of commits that were answered; up to two when its disk is slow.",
            "CONFIG SET appendfsync always",
        ),
        _ => finding.weak(
            Stake::Data,
            "A machine that dies loses what its system had not written yet, commonly up to half a minute.",
            "CONFIG SET appendfsync always",
        ),
    }
}

/// Files are not rewritten by themselves before they have 64 MiB, unless somebody has set less.
const USUAL_REWRITE: u64 = 32 << 20;

/// Whether its files are written.
pub(super) fn files(facts: &Facts) -> Finding {
    let is_well = |name| facts.info(name).is_none_or(|status| status == "ok");
    let finding = |found: &str| Finding::new("files", found).of(facts);
    if facts.info("aof_enabled") == Some("1") && !is_well("aof_last_write_status") {
        return finding("the last write failed").unusable(
            "It refuses all writes until its file can be written.",
            "make room on its disk; its log says what is wrong",
        );
    }
    // A server that has had it from its start has no base either until its file is rewritten for its size.
    let is_small = facts
        .number("aof_current_size")
        .is_none_or(|size| size < USUAL_REWRITE);
    let is_rewriting = facts.info("aof_rewrite_in_progress") == Some("1");
    if is_rewriting && is_small && facts.number("aof_base_size") == Some(0) {
        return finding("made for the first time").weak(
            Stake::Data,
            "appendonly was switched on just now: a crash before the file is complete loses everything.",
            "look again when INFO says aof_rewrite_in_progress:0",
        );
    }
    if facts.info("aof_enabled") == Some("1") && !is_well("aof_last_bgrewrite_status") {
        return finding("the last rewrite failed").weak(
            Stake::Service,
            "The file grows until the disk is full.",
            "make room on its disk and memory for a copy, then BGREWRITEAOF",
        );
    }
    let stops = facts.setting("stop-writes-on-bgsave-error") != Some("no");
    if stops && !is_well("rdb_last_bgsave_status") {
        return finding("the last snapshot failed").unusable(
            "It refuses all writes until a snapshot succeeds.",
            "make room on its disk, then BGSAVE; or, with appendonly, CONFIG SET stop-writes-on-bgsave-error no",
        );
    }
    finding("written")
}

/// What cannot be seen is not taken to be well.
fn hidden(check: &'static str, facts: &Facts, command: &str) -> Finding {
    Finding::new(check, "cannot be seen").of(facts).weak(
        Stake::Data,
        format!("{command} is hidden: whether commits that were answered can be lost is for its operator to say."),
        format!("let the user run {command}, or have its operator confirm `appendonly yes` and `appendfsync always`"),
    )
}
