//! `skald check` and `skald routes`: what can be known of an application without starting it.

use tokio::sync::watch;

use crate::{application::Application, lifecycle::Failure, present, settings::Settings, wiring};

/// Proves that the application fits together, and that it is granted nothing it does not use.
pub(crate) fn check(settings: &Settings) -> Result<(), Failure> {
    let application = Application::read(settings)?;
    // What only the gateway would notice when it starts.
    let (_, ready) = watch::channel(false);
    skald_gateway::Config::of(&application.app, ready)
        .map_err(|error| Failure::Manifest(error.to_string()))?;
    let (engine, compiled) = wiring::compile(&application.specs, &settings.cache)?;
    let summary = present::components(&application, &compiled);
    let unused = wiring::deploy(&application, &engine, compiled)?;
    let mut findings: Vec<String> = application
        .app
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    findings.extend(unused.iter().map(ToString::to_string));
    if !findings.is_empty() {
        return Err(Failure::Check(format!(
            "{} finding(s):\n  - {}",
            findings.len(),
            findings.join("\n  - ")
        )));
    }
    present::checked(&application, &summary);
    Ok(())
}

/// Shows the routes.
pub(crate) fn routes(settings: &Settings) -> Result<(), Failure> {
    let application = Application::read(settings)?;
    present::routes(&application);
    Ok(())
}
