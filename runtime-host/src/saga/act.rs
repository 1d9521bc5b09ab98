//! What is done to runs. Each run is told apart: one that refuses does not keep the others from it.

use std::{fs, path::Path};

use http::Method;
use serde_json::{Value, json};
use skald_core::saga::view::View;
use skald_telemetry::clock;

use super::{Failure, path, select};
use crate::{
    cli::{Export, Listed, Purge, Rerun, Runs, Signal, Skip, Upgrade},
    present,
    remote::{Asked, Remote, content},
};

/// `retry`, `fail`, `rollback` and `cancel`.
pub(crate) fn act(remote: &Remote, verb: &str, of: &Runs, why: &str) -> Result<(), Failure> {
    let order = json!({ "who": of.who.who, "why": why });
    each(&of.runs, |run| {
        let done = remote.post(&path(&[run, verb]), &order)?;
        told(remote, verb, &named(&done))
    })
}

/// `skip`.
pub(crate) fn skip(remote: &Remote, asked: &Skip) -> Result<(), Failure> {
    let mut order = json!({ "who": asked.act.of.who.who, "why": asked.act.why });
    if let (Some(answer), Some(members)) = (&asked.answer, order.as_object_mut()) {
        members.insert("answer".to_owned(), value(answer)?);
    }
    each(&asked.act.of.runs, |run| {
        let done = remote.post(&path(&[run, "skip"]), &order)?;
        told(remote, "skip", &named(&done))
    })
}

/// `ok`, or a value with its types.
fn value(answer: &str) -> Result<Value, Failure> {
    if answer == "ok" {
        return Ok(json!({ "Result": { "Ok": null } }));
    }
    serde_json::from_str(answer)
        .map_err(|error| Failure::Input(format!("--answer is neither `ok` nor JSON: {error}")))
}

/// Says where the run is now, and how to see more.
fn told(remote: &Remote, verb: &str, run: &str) -> Result<(), Failure> {
    let view: View = remote.get(&path(&[run]))?;
    let row = &view.row;
    let note = match row.note.as_str() {
        "" => String::new(),
        note => format!(" ({note})"),
    };
    present::say(&format!(
        "{run}: {verb} is recorded; it is {}{note}. See `skald saga show {run}`.",
        row.standing
    ));
    Ok(())
}

/// `rerun`.
pub(crate) fn rerun(remote: &Remote, asked: &Rerun) -> Result<(), Failure> {
    let order = json!({ "who": asked.who.who, "why": asked.why.why, "from": asked.from });
    let done = remote.post(&path(&[&asked.run, "rerun"]), &order)?;
    let run = named(&done);
    present::say(&format!(
        "{run} goes on from command {}. See `skald saga show {run}`.",
        asked.from
    ));
    Ok(())
}

/// `signal`.
pub(crate) fn signal(remote: &Remote, asked: &Signal) -> Result<(), Failure> {
    let order = Asked {
        body: asked.data.as_deref().map_or(Ok(Vec::new()), content)?,
        key: asked.id.clone(),
        ..Asked::default()
    };
    let path = path(&[&asked.run, "signals", &asked.name]);
    let done = remote.done(&Method::POST, &path, &order)?;
    let (run, id) = (named(&done), done.get("signal").and_then(Value::as_str));
    present::say(&format!(
        "{run} has the signal {:?}, sent as {}. See `skald saga show {run}`.",
        asked.name,
        id.unwrap_or_default()
    ));
    Ok(())
}

/// `upgrade`.
pub(crate) fn upgrade(remote: &Remote, asked: &Upgrade) -> Result<(), Failure> {
    let order = json!({
        "who": asked.who.who,
        "why": asked.why.why,
        "rehearse": asked.dry_run,
    });
    let runs = if asked.all {
        forward(remote, asked.component.clone())?
    } else {
        asked.runs.clone()
    };
    each(&runs, |run| {
        let done = remote.post(&path(&[run, "upgrade"]), &order)?;
        let revision = done.get("revision").and_then(Value::as_str);
        let revision = revision.unwrap_or_default();
        let run = named(&done);
        present::say(&if asked.dry_run {
            format!("{run} fits revision {revision}.")
        } else {
            format!("{run} goes on with revision {revision}.")
        });
        Ok(())
    })
}

/// Runs whose code is still of interest: one that rolls back only undoes what it noted.
fn forward(remote: &Remote, component: Option<String>) -> Result<Vec<String>, Failure> {
    use skald_core::saga::journal::Standing;
    let which = Listed {
        standing: vec![Standing::Running, Standing::Parked],
        component,
        subject: None,
    };
    let rows = select::all(remote, &which)?;
    if rows.is_empty() {
        present::note("There are no such runs.");
    }
    Ok(rows.into_iter().map(|row| row.run).collect())
}

/// `export`.
pub(crate) fn export(remote: &Remote, asked: &Export) -> Result<(), Failure> {
    fs::create_dir_all(&asked.out).map_err(|error| Failure::File(asked.out.clone(), error))?;
    each(&asked.runs, |run| {
        let export: Value = remote.get(&path(&[run, "export"]))?;
        let file = asked.out.join(format!("{}.json", named(&export)));
        keep(&file, &export)?;
        present::say(&file.display().to_string());
        Ok(())
    })
}

fn keep(file: &Path, export: &Value) -> Result<(), Failure> {
    fs::write(file, format!("{export:#}\n")).map_err(|error| Failure::File(file.into(), error))
}

/// `purge`.
pub(crate) fn purge(remote: &Remote, asked: &Purge) -> Result<(), Failure> {
    let runs = if asked.runs.is_empty() {
        let age = asked.older_than.unwrap_or_default();
        let rows = select::ended(remote, &asked.which, age, clock::now())?;
        rows.into_iter().map(|row| row.run).collect()
    } else {
        asked.runs.clone()
    };
    let mut forgotten = 0;
    let outcome = each(&runs, |run| {
        remote.done(&Method::DELETE, &path(&[run]), &Asked::default())?;
        forgotten += 1;
        Ok(())
    });
    present::say(&match forgotten {
        1 => "1 run is forgotten.".to_owned(),
        other => format!("{other} runs are forgotten."),
    });
    outcome
}

/// The run in an answer. It is a part of a file's name, so that only what an id can have is taken.
fn named(done: &Value) -> String {
    let run = done.get("run").and_then(Value::as_str).unwrap_or_default();
    run.chars()
        .filter(|char| char.is_ascii_alphanumeric() || *char == '_')
        .collect()
}

/// Does something for each run, and goes on where one refuses.
fn each(runs: &[String], mut act: impl FnMut(&str) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut refused = 0;
    for run in runs {
        match act(run) {
            Ok(()) => {}
            Err(failure @ Failure::Refused { .. }) if runs.len() > 1 => {
                present::note(&format!("{run}: {failure}"));
                refused += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
    if refused == 0 {
        return Ok(());
    }
    let all = runs.len();
    Err(Failure::Findings(format!(
        "{refused} of {all} runs refused"
    )))
}
