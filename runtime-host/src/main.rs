//! `skald`: runs an application of WASI components.

mod application;
mod audit;
mod bell;
mod build;
mod check;
mod cli;
mod coordinator;
mod data;
mod doctor;
mod events;
mod failure;
mod files;
mod guard;
mod lifecycle;
mod members;
mod nodes;
mod present;
mod remote;
mod revisions;
mod saga;
mod seed;
mod settings;
mod wire;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    cli::{Cli, Command},
    failure::Failure,
    settings::Settings,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = Settings::read(&cli)
        .map_err(Failure::from)
        .and_then(|settings| run(&cli, &settings));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            present::complain(&failure);
            failure.exit_code()
        }
    }
}

fn run(cli: &Cli, settings: &Settings) -> Result<(), Failure> {
    match &cli.command {
        Command::Up(up) => lifecycle::up(settings, up)?,
        Command::Check(_) => check::check(settings)?,
        Command::Routes(_) => check::routes(settings)?,
        Command::Saga(saga) => saga::run(settings, saga)?,
        Command::Events(asked) => events::run(settings, asked)?,
        Command::Nodes(asked) => nodes::run(settings, asked)?,
        Command::Audit(audit) => audit::run(audit)?,
        Command::Doctor(doctor) => doctor::run(doctor)?,
    }
    Ok(())
}
