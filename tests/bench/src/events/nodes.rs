//! Several nodes that share one Redis: each a process of its own, which serves the partitions that fall to it.
//!
//! All events are published before the nodes begin, so that what is measured is how fast they handle what there is.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use bytes::Bytes;
use skald_core::{
    event::Book,
    node::{Health, Node, rendezvous},
};
use skald_telemetry::{clock, tasks::Tasks};
use test_redis::Server;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

use super::{
    END, THREADS,
    ground::Ground,
    handler::Handler,
    message,
    scene::{AT_ONCE, Scene},
};
use crate::{
    bare,
    report::{Line, Report},
    sample::Sample,
};

/// How many nodes there are.
const NODES: [u32; 3] = [1, 2, 4];

/// How often each is measured.
const ROUNDS: u32 = 5;

/// Events that they share.
const ALL: u32 = 20_000;

/// Events of a commit.
const EACH: u32 = 200;

/// Keys of the events.
const KEYS: u32 = 1_000;

/// How often a node says how many it has handled.
const SAY: Duration = Duration::from_millis(5);

/// After that something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node's process. Dropping it ends it.
struct Process {
    child: Child,
    stdin: ChildStdin,
}

/// What a round came to.
struct Round {
    rate: f64,
    shares: Vec<u64>,
}

/// Measures all, and reports each beside one node.
pub(super) fn measure(report: &mut Report, server: &Server) -> Result<()> {
    let mut rates = NODES.map(|_| Sample::default());
    let mut shares = NODES.map(|_| Vec::new());
    for round in 0..ROUNDS {
        for ((nodes, rates), shares) in NODES.into_iter().zip(&mut rates).zip(&mut shares) {
            let done = run(&server.url(), &format!("nodes-{nodes}-{round}"), nodes)?;
            rates.add(done.rate);
            *shares = done.shares;
        }
    }
    let [one, ..] = &rates;
    for ((nodes, rates), shares) in NODES.into_iter().zip(&rates).zip(shares) {
        let noun = if nodes == 1 { "node" } else { "nodes" };
        let line = Line::new(
            format!("events: {nodes} {noun}, {ALL} waiting, Redis"),
            format!("{:.0} events/s", rates.median()),
        );
        let ratio = rates.paired(one, |many, one| many / one).median();
        let note = format!("each a process, against one; handled by each: {shares:?}");
        report.add(line.spread(rates.spread()).ratio(ratio).notes(note));
    }
    Ok(())
}

/// One round: publishes, starts the nodes, and waits until all is handled.
fn run(url: &str, application: &str, nodes: u32) -> Result<Round> {
    let runtime = bare::runtime(THREADS, None)?;
    runtime.block_on(publish(url, application))?;
    drop(runtime);
    let (say, said) = channel();
    let mut processes = (0..nodes)
        .map(|node| Process::start(url, application, (node, nodes), say.clone()))
        .collect::<Result<Vec<_>>>()?;
    let mut counts = vec![0; nodes as usize];
    // The first word of each says that it is ready.
    for _ in 0..nodes {
        hear(&said, &mut counts)?;
    }
    let start = Instant::now();
    for process in &mut processes {
        writeln!(process.stdin)?;
    }
    while counts.iter().sum::<u64>() < u64::from(ALL) {
        hear(&said, &mut counts)?;
    }
    let rate = f64::from(ALL) / start.elapsed().as_secs_f64();
    ensure!(counts.iter().sum::<u64>() == u64::from(ALL), "{counts:?}");
    Ok(Round {
        rate,
        shares: counts,
    })
}

fn hear(said: &Receiver<(usize, u64)>, counts: &mut [u64]) -> Result<()> {
    let (node, count) = said
        .recv_timeout(PATIENCE)
        .map_err(|_| anyhow!("nodes are silent; they have handled {counts:?}"))?;
    if let Some(place) = counts.get_mut(node) {
        *place = count;
    }
    Ok(())
}

async fn publish(url: &str, application: &str) -> Result<()> {
    let tasks = Tasks::new();
    let ground = Ground::redis(url, (application, message::TOPIC), &tasks).await?;
    for first in (0..ALL).step_by(EACH as usize) {
        let payloads = (first..first + EACH).map(|number| message::payload(number % KEYS, number));
        let change = message::publishing(message::TOPIC, payloads);
        ground.publisher.commit(change, clock::now()).await?;
    }
    tasks.drain(END).await;
    Ok(())
}

// === impl Process ===

impl Process {
    fn start(
        url: &str,
        application: &str,
        (node, nodes): (u32, u32),
        say: Sender<(usize, u64)>,
    ) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--events-node", url, application]);
        command.args([node, nodes].map(|number| number.to_string()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take().context("no standard input")?;
        let stdout = BufReader::new(child.stdout.take().context("no standard output")?);
        thread::spawn(move || {
            let counts = stdout.lines().map_while(Result::ok);
            for count in counts.filter_map(|line| line.parse().ok()) {
                // Nobody listens any more when all is handled.
                let _ = say.send((node as usize, count));
            }
        });
        Ok(Self { child, stdin })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The whole life of a node's process: says that it is ready, waits for a line, and handles what falls to it.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let [url, application, node, nodes] = arguments else {
        anyhow::bail!("a server, an application and two numbers are needed");
    };
    let (node, nodes): (u32, u32) = (node.parse()?, nodes.parse()?);
    let runtime = bare::runtime(THREADS, None)?;
    runtime.block_on(handle((url, application), node, nodes))
}

async fn handle((url, application): (&str, &str), node: u32, nodes: u32) -> Result<()> {
    let tasks = Tasks::new();
    let ground = Ground::redis(url, (application, message::TOPIC), &tasks).await?;
    say(0)?;
    let (go, told) = oneshot::channel();
    thread::spawn(move || {
        let _ = go.send(io::stdin().lines().next());
    });
    told.await?.context("nobody says when to begin")??;
    let count = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&count);
    let handler = Arc::new(Handler(Arc::clone(&ground.handler)));
    let seen = Arc::new(move |_: &Bytes| {
        seen.fetch_add(1, Ordering::Relaxed);
    });
    let (all, me) = ((0..nodes).map(member).collect::<Vec<_>>(), member(node));
    let is_mine = move |book: &Book| {
        rendezvous(&book.to_string(), all.iter()).is_some_and(|one| one.id == me.id)
    };
    let _scene = Scene::open(ground, (handler, seen), Arc::new(is_mine), AT_ONCE, &tasks);
    let mut last = 0;
    loop {
        sleep(SAY).await;
        let now = count.load(Ordering::Relaxed);
        if now != last {
            say(now)?;
            last = now;
        }
    }
}

fn say(count: u64) -> io::Result<()> {
    writeln!(io::stdout(), "{count}")
}

fn member(number: u32) -> Node {
    Node {
        id: format!("node-{number}"),
        address: None,
        admin: None,
        components: Vec::new(),
        load: 0,
        health: Health::Ready,
        epochs: Vec::new(),
        started_at: SystemTime::UNIX_EPOCH,
        version: String::new(),
    }
}
