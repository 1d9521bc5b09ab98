//! A small component behind the whole gateway, against the same one on `ProxyHandler`, and against hyper alone.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    bare::{self, Server},
    load::load,
    machine, proxy,
    report::{Goal, Line, Report},
    rooms::Rooms,
    sample::Sample,
};

/// Rounds in which every server is measured once with each number of connections.
const ROUNDS: u32 = 11;

/// How long a server is measured in a round.
const SPAN: Duration = Duration::from_millis(500);

/// Numbers of connections: one shows what a request costs, many what a machine gives.
const CONNECTIONS: [usize; 2] = [1, 32];

/// A server and the name of its threads.
struct Subject {
    address: SocketAddr,
    threads: &'static str,
}

/// What was measured of one server with one number of connections.
#[derive(Default)]
struct Measured {
    per_second: Sample,
    /// Medians of single requests, in microseconds.
    p50: Sample,
    p99: Sample,
    /// On a processor for one request, in microseconds; the client's share is not in it.
    busy: Sample,
}

/// The gateway, the mesh and the engine in a runtime of their own.
struct Skald {
    address: SocketAddr,
    rooms: Rooms,
    runtime: Option<Runtime>,
}

/// Measures the three in turns and reports them.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let skald = Skald::start("bench-skald")?;
    let proxy = proxy::serve("bench-proxy", &e2e::places::wasm("guest-hello"))?;
    let bare = Server::start("bench-bare", None, bare::greet)?;
    let subjects = [
        Subject {
            address: bare.address,
            threads: "bench-bare",
        },
        Subject {
            address: proxy.address,
            threads: "bench-proxy",
        },
        Subject {
            address: skald.address,
            threads: "bench-skald",
        },
    ];
    for connections in CONNECTIONS {
        let [bare, proxy, skald] = rounds(&subjects, connections)?;
        let name = |what: &str| format!("hello: {what}, {connections} conn.");
        report.add(line(name("bare hyper"), &bare));
        report.add(line(name("ProxyHandler"), &proxy));
        let ratio = skald
            .per_second
            .paired(&proxy.per_second, |skald, proxy| skald / proxy)
            .median();
        report.add(
            line(name("Skald"), &skald)
                .ratio(ratio)
                .goal(Goal::Share(0.75)),
        );
    }
    Ok(())
}

fn rounds(subjects: &[Subject; 3], connections: usize) -> Result<[Measured; 3]> {
    let mut all: [Measured; 3] = Default::default();
    // The first round only warms up.
    for round in 0..=ROUNDS {
        for (subject, measured) in subjects.iter().zip(&mut all) {
            let before = machine::usage(subject.threads);
            let load = load(subject.address, connections, SPAN)?;
            let busy = machine::usage(subject.threads).since(before).busy;
            if round > 0 {
                measured.per_second.add(load.per_second);
                measured.p50.add(load.times.median());
                measured.p99.add(load.times.quantile(0.99));
                measured
                    .busy
                    .add(busy.as_secs_f64() * 1e6 / f64::from(load.requests));
            }
        }
    }
    Ok(all)
}

fn line(what: String, measured: &Measured) -> Line {
    let note = format!(
        "p50 {:.0} µs, p99 {:.0} µs, processor {:.1} µs",
        measured.p50.median(),
        measured.p99.median(),
        measured.busy.median()
    );
    let figure = format!("{:.0} req/s", measured.per_second.median());
    Line::new(what, figure)
        .spread(measured.per_second.spread())
        .notes(note)
}

// === impl Skald ===

impl Skald {
    fn start(name: &str) -> Result<Self> {
        let runtime = bare::runtime(name, None)?;
        let _inside = runtime.enter();
        let rooms = Rooms::connect(&e2e::places::guest("hello"), |component| {
            component.settings.atomic = true;
        })?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        rooms.tasks.spawn(
            "gateway",
            Arc::clone(&rooms.gateway).serve(listener, rooms.tasks.shutdown()),
        );
        drop(_inside);
        Ok(Self {
            address,
            rooms,
            runtime: Some(runtime),
        })
    }
}

impl Drop for Skald {
    fn drop(&mut self) {
        self.rooms.tasks.stop();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
