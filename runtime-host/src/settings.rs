//! Everything the host is told from outside, read once: the command line, the environment, and files they name.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use skald_core::manifest::variables::Providers;
use skald_store::redis;
use skald_telemetry::logs::Format;
use skald_wire::{Outside, Security, Tls, TlsFiles};

use crate::{
    cli::{AdminAddress, Cli, Command, Shared},
    lifecycle::Failure,
    wire,
};

/// What the host is told.
#[derive(Clone)]
pub(crate) struct Settings {
    /// The manifest file.
    pub(crate) manifest: PathBuf,
    /// The folder its paths are relative to.
    pub(crate) root: PathBuf,
    /// Values of variables.
    pub(crate) providers: Providers,
    /// Where compiled components are kept.
    pub(crate) cache: PathBuf,
    /// Where the data is kept.
    pub(crate) data: PathBuf,
    /// The Redis that keeps everything durable instead of the data directory, if one does.
    pub(crate) redis: Option<redis::Config>,
    /// Whether it may be one that can lose what it has acknowledged.
    pub(crate) accept_redis_durability: bool,
    /// How this node meets others, if it does.
    pub(crate) wire: Option<wire::Settings>,
    /// The components to serve; all where none is named.
    pub(crate) only: Vec<String>,
    /// What to log.
    pub(crate) log: String,
    /// How log lines look.
    pub(crate) log_format: Format,
    /// Where the admin API is to listen, and whom it lets in; none where it is off, and for other commands than `up`.
    pub(crate) admin: Option<skald_admin::Config>,
    /// The admin token, for those who ask.
    pub(crate) admin_token: Option<String>,
}

/// A free port of this machine alone.
const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The host's own folder beside the manifest.
const FOLDER: &str = ".skald";

impl Settings {
    /// Reads them all; every mistake is told at once.
    pub(crate) fn read(cli: &Cli) -> Result<Self, Failure> {
        let asked = cli.command.manifest();
        let manifest = if asked.from.is_dir() {
            asked.from.join("spin.toml")
        } else {
            asked.from.clone()
        };
        let root = match manifest.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let flags = variables(&asked.variables)?;
        let data = match &cli.command {
            Command::Up(up) => up.data_dir.clone(),
            other => other.place().and_then(|place| place.data_dir.clone()),
        };
        let admin_token = admin_token(&cli.command)?;
        let admin = admin(&cli.command, admin_token.as_deref())?;
        Ok(Self {
            providers: Providers {
                flags,
                environment: environment(),
            },
            cache: asked
                .cache_dir
                .clone()
                .unwrap_or_else(|| root.join(FOLDER).join("cache")),
            data: data.unwrap_or_else(|| root.join(FOLDER).join("data")),
            redis: shared(&cli.command)?,
            accept_redis_durability: matches!(&cli.command, Command::Up(up) if up.redis.accept_redis_durability),
            wire: wire(&cli.command)?,
            only: only(&cli.command),
            log: cli.log.clone(),
            log_format: cli.log_format.unwrap_or_else(Format::detect),
            admin,
            admin_token,
            manifest,
            root,
        })
    }
}

/// The Redis to be shared; who shares it is told by the manifest.
fn shared(command: &Command) -> Result<Option<redis::Config>, Failure> {
    let Command::Up(up) = command else {
        return Ok(None);
    };
    let Shared {
        redis: Some(address),
        redis_ca,
        redis_prefix,
        ..
    } = &up.redis
    else {
        return Ok(None);
    };
    let mut config = redis::Config::new(redis_prefix.clone().unwrap_or_default(), address.clone());
    if let Some(file) = redis_ca {
        let roots = fs::read(file).map_err(|error| {
            let file = file.display();
            Failure::Settings(format!(
                "--redis-ca {file}: the file cannot be read: {error}"
            ))
        })?;
        config.roots = Some(roots);
    }
    Ok(Some(config))
}

/// The components that are named.
fn only(command: &Command) -> Vec<String> {
    if let Command::Up(up) = command {
        return up.wire.only.clone();
    }
    Vec::new()
}

/// The wire to other nodes; on this machine only unless there are certificates.
fn wire(command: &Command) -> Result<Option<wire::Settings>, Failure> {
    let Command::Up(up) = command else {
        return Ok(None);
    };
    let asked = &up.wire;
    let usual = up.redis.redis.is_some().then_some(LOCAL);
    let Some(listen) = asked.wire.or(usual) else {
        return Ok(None);
    };
    let security = match (&asked.ca, &asked.cert, &asked.key) {
        (Some(ca), Some(cert), Some(key)) => {
            let files = TlsFiles {
                ca: ca.clone(),
                cert: cert.clone(),
                key: key.clone(),
            };
            let tls = Tls::read(&files).map_err(|error| Failure::Settings(error.to_string()))?;
            Security::Tls(tls)
        }
        _ => Security::Machine,
    };
    let outside = match asked.outside.as_slice() {
        [] => Outside::Nothing,
        [all] if all == "all" => Outside::Everything,
        services => Outside::Services(services.iter().cloned().collect()),
    };
    let config = skald_wire::Config {
        security,
        outside,
        ..skald_wire::Config::default()
    };
    Ok(Some(wire::Settings { listen, config }))
}

/// The environment, as far as it is text.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn variables(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let (mut flags, mut mistakes) = (BTreeMap::new(), Vec::new());
    for given in given {
        match variable(given) {
            Ok((name, value)) => {
                flags.insert(name, value);
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        Ok(flags)
    } else {
        Err(Failure::Settings(mistakes.join("\n")))
    }
}

fn variable(given: &str) -> Result<(String, String), String> {
    let Some((name, value)) = given.split_once('=') else {
        return Err(format!(
            "--variable {given}: write name=value, or name=@file"
        ));
    };
    let value = match value.strip_prefix('@') {
        None => value.to_owned(),
        Some(file) => content(file).map_err(|why| format!("--variable {name}=@{file}: {why}"))?,
    };
    Ok((name.to_owned(), value))
}

/// A file's text without the end of its last line.
fn content(file: &str) -> Result<String, String> {
    match fs::read_to_string(file) {
        Ok(content) => Ok(content.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => Err(format!("the file cannot be read: {error}")),
    }
}

fn admin_token(command: &Command) -> Result<Option<String>, Failure> {
    let given = match command {
        Command::Up(up) => up.admin_token.as_deref(),
        other => other.place().and_then(|place| place.admin_token.as_deref()),
    };
    let Some(given) = given else {
        return Ok(None);
    };
    let token = match given.strip_prefix('@') {
        None => Ok(given.to_owned()),
        Some(file) => {
            content(file).map_err(|why| Failure::Settings(format!("--admin-token @{file}: {why}")))
        }
    };
    token.map(Some)
}

fn admin(command: &Command, token: Option<&str>) -> Result<Option<skald_admin::Config>, Failure> {
    let Command::Up(up) = command else {
        return Ok(None);
    };
    match up.admin {
        AdminAddress::Off => Ok(None),
        AdminAddress::At(address) => skald_admin::Config::new(address, token)
            .map(Some)
            .map_err(|error| Failure::Settings(error.to_string())),
    }
}
