//! Everything the host is told from outside, read once: the command line, the environment, and files they name.

use std::{collections::BTreeMap, fs, path::PathBuf};

use skald_core::manifest::variables::Providers;
use skald_store::redis;
use skald_telemetry::logs::Format;

use crate::{
    cli::{AdminAddress, Cli, Command, Shared, Up},
    lifecycle::Failure,
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
    /// What to log.
    pub(crate) log: String,
    /// How log lines look.
    pub(crate) log_format: Format,
    /// Where the admin API is to listen, and whom it lets in; none where it is off, and for other commands than `up`.
    pub(crate) admin: Option<skald_admin::Config>,
    /// The admin token, for those who ask.
    pub(crate) admin_token: Option<String>,
}

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
            Command::Saga(saga) => saga.place.data_dir.clone(),
            Command::Check(_) | Command::Routes(_) | Command::Audit(_) | Command::Doctor(_) => None,
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
    let Command::Up(Up {
        redis:
            Shared {
                redis: Some(address),
                redis_ca,
                redis_prefix,
                ..
            },
        ..
    }) = command
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
        Command::Saga(saga) => saga.place.admin_token.as_deref(),
        Command::Check(_) | Command::Routes(_) | Command::Audit(_) | Command::Doctor(_) => None,
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
    match command {
        Command::Up(up) => match up.admin {
            AdminAddress::Off => Ok(None),
            AdminAddress::At(address) => skald_admin::Config::new(address, token)
                .map(Some)
                .map_err(|error| Failure::Settings(error.to_string())),
        },
        Command::Check(_)
        | Command::Routes(_)
        | Command::Saga(_)
        | Command::Audit(_)
        | Command::Doctor(_) => Ok(None),
    }
}
