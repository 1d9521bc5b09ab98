//! A real handler: the shop's `notifications`, in the real engine, behind the real mesh. It reads two keys, and writes three.

use std::{fs, sync::Arc};

use anyhow::{Context as _, Result, anyhow};
use skald_core::{call::DynCall, manifest::App, store::Store};
use skald_mesh::Mesh;
use skald_telemetry::tasks::Tasks;

use super::message::HANDLER;
use crate::rooms;

/// The way to the component.
pub(super) fn connect(store: &Arc<dyn Store>, tasks: &Tasks) -> Result<Arc<dyn DynCall>> {
    let manifest = e2e::places::shop();
    let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    let mut app = App::parse(&text, &manifest.display().to_string())
        .map_err(|problems| anyhow!("{problems}"))?;
    app.components.retain(|id, _| id.as_str() == HANDLER);
    let folder = manifest.parent().context("a manifest lies in a folder")?;
    let engine = Arc::new(rooms::deployed(&app, folder)?);
    let target = |component| rooms::target(component, store);
    let targets = app.components.values().map(target).collect();
    let mesh: Arc<dyn DynCall> = Arc::new(Mesh::build(targets, &engine));
    engine.connect(Arc::downgrade(&mesh));
    rooms::trim(engine, tasks);
    Ok(mesh)
}
