//! The life of a host: read, build, compile, connect, serve, drain.

use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use skald_admin::{Admin, Desks, Events};
use skald_core::{event::Interest, saga::desk::Desk, store::StoreError};
use skald_engine::{Compiled, Engine, EngineError};
use skald_store::{OpenError, redis};
use skald_telemetry::{
    logs::{self, LogsError},
    tasks::Tasks,
};
use thiserror::Error;
use tokio::{net::TcpListener, signal::unix, sync::watch};

use crate::{
    application::Application,
    build,
    cli::Up,
    present, remote,
    seed::{self, FirstData},
    settings::Settings,
    wire::WireError,
    wiring::{self, Host},
};

/// How long running calls and deliveries may take to end.
const DRAIN: Duration = Duration::from_secs(20);

/// Connections, two files for each snapshot, outgoing sockets, and room to spare.
const OPEN_FILES: u64 = 16_384;

/// Why the program ends otherwise than it should.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The command line is wrong.
    #[error("{0}")]
    Settings(String),
    /// The manifest is wrong.
    #[error("{0}")]
    Manifest(String),
    /// A component is not there, or is none.
    #[error("{0}")]
    Components(String),
    /// Components do not fit together.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A build command failed.
    #[error("{0}")]
    Build(String),
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// Other nodes cannot be met.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Redis cannot be used.
    #[error(transparent)]
    Redis(#[from] redis::OpenError),
    /// Redis is not durable, or not usable at all.
    #[error(
        "this Redis is not fit to keep the data:\n  {0}\n`skald doctor redis` says more; where losing the last moments is \
         acceptable, --accept-redis-durability starts on a weak one"
    )]
    Unfit(String),
    /// The data could not be read or written.
    #[error("the data cannot be used: {0}")]
    Store(#[from] StoreError),
    /// The logs cannot be set up.
    #[error(transparent)]
    Logs(#[from] LogsError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {0}: {1}; choose another with --listen, or 127.0.0.1:0 for a free port"
    )]
    Listen(std::net::SocketAddr, std::io::Error),
    /// The admin address cannot be listened on.
    #[error("cannot listen on {0}: {1}; choose another with --admin, or --admin off")]
    Admin(std::net::SocketAddr, std::io::Error),
    /// The operating system refuses something every program needs.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
    /// `check` found grants that nothing uses.
    #[error("{0}")]
    Check(String),
}

impl Failure {
    /// The exit code, by the conventions of sysexits.h.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Settings(_)
            | Self::Manifest(_)
            | Self::Components(_)
            | Self::Logs(_)
            | Self::Check(_) => 64,
            Self::Engine(EngineError::Start(_)) | Self::Build(_) => 70,
            Self::Engine(_) => 64,
            Self::Listen(..) | Self::Admin(..) | Self::Wire(_) | Self::System(_) => 71,
            Self::Data(_) | Self::Redis(_) | Self::Unfit(_) | Self::Store(_) => 74,
        })
    }
}

/// `skald up`.
pub(crate) fn up(settings: &Settings, up: &Up) -> Result<(), Failure> {
    logs::init(settings.log_format, &settings.log)?;
    let application = Application::read(settings)?;
    for warning in &application.app.warnings {
        tracing::warn!("{warning}");
    }
    if up.build {
        build::build(&application.app, &settings.root)?;
    }
    // Sockets and snapshots are what runs out first; the system's default of 1,024 is for interactive programs.
    if let Err(error) = rlimit::increase_nofile_limit(OPEN_FILES) {
        tracing::warn!(%error, "the limit of open files stays as it is; see `ulimit -n`");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("skald")
        .build()?;
    let served = runtime.block_on(serve(settings, up, &application));
    // Whatever still blocks a thread must not keep the program from ending.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve(settings: &Settings, up: &Up, application: &Application) -> Result<(), Failure> {
    let mut stop = Stop::listen()?;
    let (engine, compiled) = wiring::compile(&application.specs, &settings.cache)?;
    let summary = present::components(application, &compiled);
    deploy(application, &engine, compiled)?;
    let listener = TcpListener::bind(up.listen)
        .await
        .map_err(|error| Failure::Listen(up.listen, error))?;
    let address = listener.local_addr()?;
    let (ready, is_ready) = watch::channel(false);
    let admin = Admission::open(settings).await?;
    // Deliveries stop after the gateway, so that what the last requests began still goes its way.
    let (front, back) = (Tasks::new(), Tasks::new());
    let mut host = wiring::connect(application, engine, settings, is_ready, &back).await?;
    let stay = stay(&host);
    // An earlier host may have been killed before it could take its note away.
    remote::address::withdraw(&settings.data);
    tokio::select! {
        biased;
        () = stop.wait() => {}
        prepared = prepare(&host, application) => {
            prepared?;
            open(&mut host, listener, &front);
            admin.admit(&host, application.interests(), &settings.data, &front)?;
            ready.send_replace(true);
            host.members.open().await;
            present::serving(address, (!up.quiet).then_some((application, summary)));
            tracing::info!(
                application = %application.app.name,
                %address,
                data = %settings.data.display(),
                "serving"
            );
            stop.wait().await;
        }
    }
    ready.send_replace(false);
    remote::address::withdraw(&settings.data);
    host.members.drain().await;
    drain(&front, &back).await;
    leave(&host, &stay).await;
    Ok(())
}

/// Meets all imports, and tells of grants that nobody uses.
fn deploy(
    application: &Application,
    engine: &Engine,
    compiled: Vec<Compiled>,
) -> Result<(), Failure> {
    for unused in wiring::deploy(application, engine, compiled)? {
        tracing::warn!(component = %unused.component, "{}; {}", unused.what, unused.fix);
    }
    Ok(())
}

/// Says that this node is alive until all else has ended.
fn stay(host: &Host) -> Tasks {
    let stay = Tasks::new();
    let (mesh, members) = (Arc::clone(&host.mesh), Arc::clone(&host.members));
    let alive = members.stay(move || mesh.load(), stay.shutdown());
    stay.spawn("membership", alive);
    stay
}

/// Nothing is at work here any more.
async fn leave(host: &Host, stay: &Tasks) {
    stay.drain(DRAIN).await;
    host.members.leave().await;
    host.data.close().await;
    tracing::info!("stopped");
}

/// What has to be there before the first request.
async fn prepare(host: &Host, application: &Application) -> Result<(), Failure> {
    if let Some(sagas) = &host.sagas {
        sagas.recover().await?;
    }
    let store = host.data.host();
    if seed::announce(&*store, &application.app.name).await? == FirstData::Begun {
        present::note("First start on this data: laying it out");
        seed::settle(&host.deliveries).await?;
        seed::complete(&*store).await?;
    }
    host.gateway.prepare().await;
    Ok(())
}

fn open(host: &mut Host, listener: TcpListener, front: &Tasks) {
    if let Some(wire) = host.wire.take() {
        wire.serve(Arc::clone(&host.calls), front);
    }
    let gateway = Arc::clone(&host.gateway);
    front.spawn("gateway", gateway.serve(listener, front.shutdown()));
}

/// The door for operators: listening, and not yet open.
struct Admission(Option<(TcpListener, skald_admin::Config)>);

impl Admission {
    async fn open(settings: &Settings) -> Result<Self, Failure> {
        let Some(config) = settings.admin.clone() else {
            return Ok(Self(None));
        };
        let address = config.address();
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| Failure::Admin(address, error))?;
        Ok(Self(Some((listener, config))))
    }

    /// Opens the door.
    fn admit(
        self,
        host: &Host,
        interests: Vec<Interest>,
        data: &Path,
        front: &Tasks,
    ) -> Result<(), Failure> {
        let Some((listener, config)) = self.0 else {
            return Ok(());
        };
        let address = listener.local_addr()?;
        let sagas = host.sagas.clone();
        let desks = Desks {
            sagas: sagas.map(|sagas| Arc::new(sagas) as Arc<dyn Desk>),
            events: Events {
                archive: Arc::clone(&host.data.archive),
                log: Arc::clone(&host.data.log),
                interests,
                store: host.data.host(),
            },
            nodes: Arc::clone(&host.data.nodes),
        };
        let admin = Admin::new(&config, desks);
        front.spawn("admin", admin.serve(listener, front.shutdown()));
        host.members.is_asked_at(address.to_string());
        remote::address::publish(data, address)?;
        tracing::info!(%address, "operators are served; see `skald --help`");
        Ok(())
    }
}

/// Ends in the order of the road: no new requests, then no new deliveries.
async fn drain(front: &Tasks, back: &Tasks) {
    tracing::info!("stopping: running requests and deliveries end first");
    for tasks in [front, back] {
        let drained = tasks.drain(DRAIN).await;
        for name in drained.unfinished {
            tracing::warn!(task = %name, "did not end in {DRAIN:?} and was dropped; nothing committed is lost");
        }
    }
}

/// The signals that end the program in good order.
struct Stop {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(unix::SignalKind::interrupt())?,
            terminate: unix::signal(unix::SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}
