//! `skald saga check`: whether new code takes the way that runs have taken. Nothing is called, and nothing recorded.

use std::{fs, path::Path};

use skald_core::{
    manifest::ComponentId,
    saga::{Parked, RunId, Stamped, codec, desk::Export, play::Play},
};
use skald_engine::Engine;
use skald_saga::{Rehearsed, rehearse};

use crate::failure::Failure;
use crate::{
    application::Application,
    cli::Check,
    lifecycle,
    present::{
        self,
        runs::{Divergence, divergences},
    },
    settings::Settings,
    wiring,
};

/// A journal that was read.
struct Journal {
    run: RunId,
    records: Vec<Stamped>,
}

/// Replays each journal, and tells of those that the code does not fit.
pub(crate) fn check(settings: &Settings, asked: &Check) -> Result<(), Failure> {
    let exports = read(&asked.journals)?;
    let component = component(asked, &exports)?;
    let mut journals = Vec::new();
    for export in exports {
        if export.component == component.as_str() {
            journals.push(journal(&export)?);
        }
    }
    let engine = engine(settings, asked, &component)?;
    let Some(revision) = engine.current(&component) else {
        let what =
            format!("{component} is no saga: it needs `saga = true` in its table tool.skald");
        return Err(Failure::Input(what));
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(lifecycle::Failure::System)?;
    let count = journals.len();
    let mut found = Vec::new();
    for Journal { run, records } in journals {
        let rehearsed = runtime.block_on(rehearse(&engine, &revision, records));
        found.extend(divergence(&run, rehearsed));
    }
    if found.is_empty() {
        let runs = if count == 1 { "run takes" } else { "runs take" };
        present::say(&format!(
            "{count} {runs} the same way with revision {revision}."
        ));
        return Ok(());
    }
    present::say(&divergences(&found));
    let (bad, file) = (found.len(), asked.wasm.display());
    Err(Failure::Findings(format!(
        "{bad} of {count} runs do not fit {file}; keep their way with `patched`, or let them end with their own code"
    )))
}

fn divergence(run: &RunId, rehearsed: Rehearsed) -> Option<Divergence> {
    let run = run.to_string();
    match rehearsed {
        Rehearsed::Fits => None,
        Rehearsed::Differs(Parked::Mismatch {
            ordinal,
            expected,
            actual,
        }) => Some(Divergence {
            run,
            ordinal: Some(ordinal),
            expected,
            actual,
        }),
        Rehearsed::Differs(other) => Some(Divergence {
            run,
            ordinal: None,
            expected: String::new(),
            actual: other.to_string(),
        }),
        Rehearsed::Breaks(why) => Some(Divergence {
            run,
            ordinal: None,
            expected: String::new(),
            actual: why,
        }),
    }
}

/// All exports in a folder, by their names.
fn read(folder: &Path) -> Result<Vec<Export>, Failure> {
    let unreadable = |error| Failure::File(folder.to_owned(), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|end| end == "json") {
            files.push(path);
        }
    }
    files.sort();
    let mut exports = Vec::new();
    for file in files {
        let text = fs::read(&file).map_err(|error| Failure::File(file.clone(), error))?;
        let export: Export = serde_json::from_slice(&text).map_err(|error| {
            Failure::Input(format!(
                "{} is no exported journal: {error}",
                file.display()
            ))
        })?;
        exports.push(export);
    }
    Ok(exports)
}

fn journal(export: &Export) -> Result<Journal, Failure> {
    let run = export.run.clone();
    if export.version != Export::VERSION {
        let what = format!("the export of {run} has a form of another version of skald");
        return Err(Failure::Input(what));
    }
    let entries = export
        .bytes()
        .ok_or_else(|| Failure::Input(format!("the export of {run} is not whole")))?;
    match codec::read(&entries) {
        Ok((records, _)) => Ok(Journal { run, records }),
        Err(damage) => Err(Failure::Input(format!(
            "the export of {run} is damaged: {damage}"
        ))),
    }
}

/// Whose code it is.
fn component(asked: &Check, exports: &[Export]) -> Result<ComponentId, Failure> {
    let folder = asked.journals.display();
    if let Some(component) = &asked.component {
        if exports.iter().any(|export| export.component == *component) {
            return Ok(ComponentId::from(component.as_str()));
        }
        return Err(Failure::Input(format!(
            "{folder} has no journals of {component}"
        )));
    }
    let mut names: Vec<&str> = exports
        .iter()
        .map(|export| export.component.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => Err(Failure::Input(format!(
            "{folder} has no journals; write some with `skald saga export`"
        ))),
        [one] => Ok(ComponentId::from(*one)),
        several => Err(Failure::Input(format!(
            "{folder} has journals of {}; say whose code it is with --component",
            several.join(", ")
        ))),
    }
}

/// The application with the new code in the place of the old.
fn engine(settings: &Settings, asked: &Check, component: &ComponentId) -> Result<Engine, Failure> {
    let mut application = Application::read(settings)?;
    let Some(spec) = application
        .specs
        .iter_mut()
        .find(|spec| spec.id == *component)
    else {
        let what = format!(
            "{} has no component {component}",
            settings.manifest.display()
        );
        return Err(Failure::Input(what));
    };
    spec.source.clone_from(&asked.wasm);
    let (engine, compiled) = wiring::compile(&application.specs, &settings.cache)?;
    wiring::deploy(&application, &engine, compiled)?;
    Ok(engine)
}
