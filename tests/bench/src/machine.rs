//! What the machine says about itself: its shape, and how much of it a thread or a process has used.
//!
//! All of it is read from `/proc`; elsewhere the figures are missing, not wrong.

use std::{fs, num::NonZeroUsize, path::Path, thread, time::Duration};

/// One line about the machine, so that figures are not compared across machines by accident.
pub(crate) fn description() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    format!(
        "{} processors ({}), load average {load}; the load of others belongs to the figures: trust ratios",
        thread::available_parallelism().map_or(1, NonZeroUsize::get),
        model.map_or("unknown", |(_, name)| name),
    )
}

/// How long this process's threads of that name have been on a processor.
pub(crate) fn busy(threads: &str) -> Option<Duration> {
    let mut busy = Duration::ZERO;
    for task in fs::read_dir("/proc/self/task").ok()?.flatten() {
        if fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim_end() == threads) {
            busy += on_processor(&task.path())?;
        }
    }
    Some(busy)
}

fn on_processor(task: &Path) -> Option<Duration> {
    let text = fs::read_to_string(task.join("schedstat")).ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Memory of a process that is resident, in bytes.
pub(crate) fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
