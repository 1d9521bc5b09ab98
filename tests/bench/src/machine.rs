//! What the machine says about itself: its shape, and how much of it a thread or a process has used.
//!
//! All of it is read from `/proc`; elsewhere the figures are missing, not wrong.

use std::{
    fs::{self, DirEntry},
    num::NonZeroUsize,
    thread,
    time::Duration,
};

/// One line about the machine, so that figures are not compared across machines by accident.
pub(crate) fn description() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    format!(
        "{} processors ({}), load average {load}; the load of others belongs to the figures: trust ratios",
        thread::available_parallelism().map_or(1, NonZeroUsize::get),
        model.map_or("unknown", |(_, name)| name),
    )
}

/// What threads have had of the processors.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// On a processor.
    pub(crate) busy: Duration,
    /// Ready to run while others had the processors.
    pub(crate) queued: Duration,
}

/// What this process's threads of that name have had so far.
pub(crate) fn usage(threads: &str) -> Usage {
    let tasks = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let is_named = |task: &DirEntry| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim_end() == threads)
    };
    let read = |task: DirEntry| fs::read_to_string(task.path().join("schedstat")).ok();
    let all = tasks.filter(is_named).filter_map(read);
    all.fold(Usage::default(), |sum, text| {
        let mut nanos = text.split(' ').map(|number| {
            number
                .trim()
                .parse()
                .map_or(Duration::ZERO, Duration::from_nanos)
        });
        let mut next = || nanos.next().unwrap_or_default();
        Usage {
            busy: sum.busy + next(),
            queued: sum.queued + next(),
        }
    })
}

impl Usage {
    /// What was had between an earlier moment and this one.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(before.busy),
            queued: self.queued.saturating_sub(before.queued),
        }
    }
}

/// Memory of a process that is resident, in bytes.
pub(crate) fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
