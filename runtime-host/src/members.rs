//! This node among the others: it says that it is alive, sees who else is, and knows what is whose to do.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use skald_core::{
    call::{BoxFuture, chain},
    event::Book,
    manifest::ComponentId,
    node::{Health, Node, Nodes, rendezvous},
    saga::{
        RunId,
        owners::{Other, Owners},
    },
    store::StoreError,
};
use skald_telemetry::tasks::Shutdown;
use tokio::{
    select,
    sync::watch,
    time::{Instant, sleep},
};

/// How long a node counts as alive after it has last said so.
const LEASE: Duration = Duration::from_secs(3);

/// How often it says so: it may be unheard twice.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// This node among the others.
pub(crate) struct Members {
    nodes: Arc<dyn Nodes>,
    view: Mutex<View>,
    /// Told when what is whose to do may be another's.
    changed: watch::Sender<()>,
}

struct View {
    me: Node,
    /// The life of the store in which this node has looked whether it has all that it wrote.
    vouched: Option<u32>,
    /// All that are alive, as last heard.
    alive: Vec<Node>,
}

// === impl Members ===

impl Members {
    /// Joins the others, with a new epoch.
    pub(crate) async fn join(nodes: Arc<dyn Nodes>, mut me: Node) -> Result<Self, StoreError> {
        me.epochs.push(nodes.next_epoch().await?);
        let alive = nodes.announce(&me, LEASE).await?;
        Ok(Self {
            nodes,
            view: Mutex::new(View {
                me,
                vouched: None,
                alive,
            }),
            changed: watch::Sender::new(()),
        })
    }

    /// The epoch that it joined with.
    pub(crate) fn epoch(&self) -> u64 {
        let view = self.view.lock();
        view.me.epochs.first().copied().unwrap_or_default()
    }

    /// The other nodes that are alive.
    pub(crate) fn others(&self) -> Vec<Node> {
        let view = self.view.lock();
        let is_other = |node: &&Node| node.id != view.me.id;
        view.alive.iter().filter(is_other).cloned().collect()
    }

    /// Has everybody look again at what is whose to do.
    pub(crate) fn stir(&self) {
        self.changed.send_replace(());
    }

    /// Tells when what is whose to do may be another's.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Says that it is alive, and how much it has to do, until told to stop.
    pub(crate) async fn stay(
        self: Arc<Self>,
        load: impl Fn() -> u32 + Send + Sync,
        shutdown: Shutdown,
    ) {
        let mut heard = Instant::now();
        while !shutdown.is_said() {
            select! {
                biased;
                () = shutdown.wait() => break,
                () = sleep(HEARTBEAT) => (),
            }
            self.view.lock().me.load = load();
            match self.announce().await {
                Ok(()) => heard = Instant::now(),
                Err(error) => {
                    let silent = heard.elapsed();
                    tracing::warn!(
                        code = error.code(),
                        error = chain(&error),
                        ?silent,
                        "other nodes cannot be told that this one is alive; after {LEASE:?} they take its work over"
                    );
                }
            }
        }
    }

    /// Says that it takes no new work; what it has begun goes on.
    pub(crate) async fn drain(&self) {
        self.set_health(Health::Draining).await;
    }

    /// Says that it takes work.
    pub(crate) async fn open(&self) {
        self.set_health(Health::Ready).await;
    }

    /// Says where people can ask it.
    pub(crate) fn is_asked_at(&self, admin: String) {
        self.view.lock().me.admin = Some(admin);
    }

    /// Says that it is gone, so that others need not wait for its lease to end.
    pub(crate) async fn leave(&self) {
        let id = self.view.lock().me.id.clone();
        if let Err(error) = self.nodes.leave(&id).await {
            tracing::warn!(
                error = chain(&error),
                "other nodes could not be told that this one goes; they notice after {LEASE:?}"
            );
        }
    }

    /// Says that in this life of the store it has all that this node wrote, so that another can rely on it who takes its
    /// runs over.
    pub(crate) async fn vouch(&self, life: u32) -> Result<(), StoreError> {
        let epochs = self.view.lock().me.epochs.clone();
        self.nodes.vouch(life, &epochs).await?;
        self.view.lock().vouched = Some(life);
        Ok(())
    }

    /// Whether this node is to serve a partition to a subscriber.
    pub(crate) fn is_mine(&self, book: &Book) -> bool {
        let group = ComponentId::from(&*book.group);
        self.falls_to_me(&group, &book.to_string())
    }

    async fn set_health(&self, health: Health) {
        self.view.lock().me.health = health;
        if let Err(error) = self.announce().await {
            tracing::warn!(
                error = chain(&error),
                "other nodes could not be told that this one is {health:?}"
            );
        }
    }

    async fn announce(&self) -> Result<(), StoreError> {
        let me = self.view.lock().me.clone();
        let alive = self.nodes.announce(&me, LEASE).await?;
        let mut view = self.view.lock();
        let work = |nodes: &[Node]| -> Vec<_> {
            let work = |node: &Node| {
                let Node {
                    id,
                    address,
                    health,
                    epochs,
                    ..
                } = node;
                (id.clone(), address.clone(), *health, epochs.clone())
            };
            nodes.iter().map(work).collect()
        };
        let has_changed = work(&alive) != work(&view.alive);
        if has_changed {
            tell(&view.alive, &alive);
        }
        view.alive = alive;
        drop(view);
        if has_changed {
            self.changed.send_replace(());
        }
        Ok(())
    }

    fn falls_to_me(&self, component: &ComponentId, key: &str) -> bool {
        let view = self.view.lock();
        let takes = |node: &&Node| node.health != Health::Draining && node.serves(component);
        rendezvous(key, view.alive.iter().filter(takes)).is_some_and(|node| node.id == view.me.id)
    }
}

impl Owners for Members {
    fn other(&self, epoch: u64) -> Option<Other> {
        let view = self.view.lock();
        let is_other = |node: &&Node| node.id != view.me.id && node.epochs.contains(&epoch);
        view.alive.iter().find(is_other).map(|node| Other {
            node: node.id.clone(),
            admin: node.admin.clone(),
        })
    }

    fn inherits(&self, component: &str, run: &RunId) -> bool {
        self.falls_to_me(&ComponentId::from(component), run.as_str())
    }

    fn new_epoch(&self) -> BoxFuture<'_, Result<Option<u64>, StoreError>> {
        Box::pin(async {
            let epoch = self.nodes.next_epoch().await?;
            let vouched = {
                let mut view = self.view.lock();
                view.me.epochs.push(epoch);
                view.vouched
            };
            self.announce().await?;
            if let Some(life) = vouched {
                // It is in time: nothing is written in it yet.
                self.nodes.vouch(life, &[epoch]).await?;
            }
            Ok(Some(epoch))
        })
    }

    fn is_vouched(&self, epoch: u64) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.nodes.is_vouched(epoch)
    }
}

/// Who has come and who has gone, for the log.
fn tell(before: &[Node], after: &[Node]) {
    let is_in = |nodes: &[Node], one: &Node| nodes.iter().any(|node| node.id == one.id);
    for node in after.iter().filter(|node| !is_in(before, node)) {
        tracing::info!(node = node.id, "a node has come");
    }
    for node in before.iter().filter(|node| !is_in(after, node)) {
        tracing::info!(node = node.id, "a node has gone; its work falls to others");
    }
}
