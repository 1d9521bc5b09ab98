//! Who begins runs and sends them their signals, whether or not there is a host.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};

use super::{draw, hosts::Hosts, model, program::Program, watch};

/// How many begin runs at the same time.
const STARTERS: u32 = 6;

/// More runs under way than this, and no more are begun.
const CROWD: usize = 200;

/// Between two starts of one starter, and before what failed is tried again.
const PAUSE: Duration = Duration::from_millis(40);

/// Between two looks at the runs.
const LOOK: Duration = Duration::from_millis(150);

/// Begins runs and sends signals.
pub(super) struct Load {
    pub(super) seed: u64,
    hosts: Arc<Hosts>,
    next: AtomicU64,
    is_enough: AtomicBool,
    under_way: AtomicUsize,
    /// The numbers of the programs whose starts were acknowledged.
    begun: Mutex<BTreeSet<u64>>,
}

// === impl Load ===

impl Load {
    pub(super) const fn new(seed: u64, hosts: Arc<Hosts>) -> Self {
        Self {
            seed,
            hosts,
            next: AtomicU64::new(0),
            is_enough: AtomicBool::new(false),
            under_way: AtomicUsize::new(0),
            begun: Mutex::new(BTreeSet::new()),
        }
    }

    /// Begins to begin runs.
    pub(super) fn begin(self: &Arc<Self>, work: &mut JoinSet<()>) {
        for _ in 0..STARTERS {
            work.spawn(Arc::clone(self).start_runs());
        }
    }

    /// No more runs are begun.
    pub(super) fn enough(&self) {
        self.is_enough.store(true, Ordering::Relaxed);
    }

    /// The numbers of the runs that were begun for certain.
    pub(super) fn begun(&self) -> BTreeSet<u64> {
        let begun = self.begun.lock();
        begun.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many had not ended when it was looked last.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// What begins the run of that number.
    pub(super) fn key(&self, number: u64) -> String {
        format!("soak-{}-{number}", self.seed)
    }

    /// The program that a key began.
    pub(super) fn program_of(&self, key: &str) -> Option<Program> {
        let number = key.strip_prefix(&format!("soak-{}-", self.seed))?;
        Some(draw::program(self.seed, number.parse().ok()?))
    }

    async fn start_runs(self: Arc<Self>) {
        while !self.is_enough.load(Ordering::Relaxed) {
            if self.under_way() < CROWD {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                self.start(number).await;
            }
            sleep(PAUSE).await;
        }
    }

    /// Begins a run, again and again until somebody has acknowledged it: the key makes it one run.
    async fn start(&self, number: u64) {
        let key = self.key(number);
        let event = json!({
            "specversion": "1.0",
            "id": key,
            "source": "/soak",
            "type": "soak.program.v1",
            "time": "2026-01-01T00:00:00Z",
            "subject": key,
            "data": draw::program(self.seed, number),
        });
        loop {
            let answer = self.hosts.client().post("/programs", &event).await;
            if answer.is_ok_and(|answer| answer.status == 202) {
                break;
            }
            sleep(PAUSE).await;
        }
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.insert(number);
    }

    /// Looks at the runs again and again, and sends each of them its signals.
    pub(super) async fn send_signals(self: Arc<Self>) {
        let mut sent = BTreeSet::new();
        loop {
            // There may be no host; the next look finds one.
            let rows = watch::rows(&self.hosts, "running").await;
            self.send_to_all(&rows.unwrap_or_default(), &mut sent).await;
            sleep(LOOK).await;
        }
    }

    async fn send_to_all(&self, rows: &[watch::Row], sent: &mut BTreeSet<(String, String)>) {
        self.under_way.store(rows.len(), Ordering::Relaxed);
        for row in rows {
            self.send_to(row, sent).await;
        }
    }

    async fn send_to(&self, row: &watch::Row, sent: &mut BTreeSet<(String, String)>) {
        let program = self.program_of(&row.key);
        let acts = program.map(|program| program.acts).unwrap_or_default();
        for (signal, amount) in model::signals(&acts) {
            let name = (row.key.clone(), signal.to_owned());
            if sent.contains(&name) {
                continue;
            }
            // Twice, which is once: the name of the sending is the same.
            let (once, again) = (
                self.signal(row, signal, amount).await,
                self.signal(row, signal, amount).await,
            );
            if once.is_some() && again.is_some() {
                sent.insert(name);
            }
        }
    }

    /// Sends a signal; nothing unless it was acknowledged, or came too late.
    async fn signal(&self, row: &watch::Row, signal: &str, amount: u32) -> Option<()> {
        let admin = self.hosts.admin().ok()?;
        let path = format!("/admin/v1/sagas/{}/signals/{signal}", row.run);
        let headers = [("idempotency-key", signal), ("content-type", "text/plain")];
        let payload = Bytes::from(amount.to_string());
        let answer = admin.ask(Method::POST, &path, &headers, payload).await;
        let answer = answer.ok()?;
        (answer.status == 200 || answer.status == 409).then_some(())
    }
}
