//! `skald saga`: asks a running host for its sagas, acts on them, and does what can be done without one.

mod act;
mod check;
mod companions;
mod select;

use skald_core::saga::view::View;
use skald_telemetry::clock;

use crate::{
    cli::{List, One, Saga, SagaCommand},
    failure::Failure,
    present::{
        self,
        ink::Ink,
        runs::{self, story, why},
    },
    remote::{Remote, encoded},
    settings::Settings,
};

/// Does what is asked.
pub(crate) fn run(settings: &Settings, saga: &Saga) -> Result<(), Failure> {
    let ink = Ink::detect(saga.place.no_color.as_deref());
    let remote = || Remote::find(settings, saga.place.admin.as_deref());
    match &saga.command {
        SagaCommand::Ls(list) => self::list(&remote()?, list),
        SagaCommand::Show(one) => tell(&remote()?, one, |view| story(view, ink)),
        SagaCommand::Why(one) => tell(&remote()?, one, why),
        SagaCommand::Retry(asked) => act::act(&remote()?, "retry", &asked.of, &asked.why.why),
        SagaCommand::Cancel(asked) => act::act(&remote()?, "cancel", &asked.of, &asked.why.why),
        SagaCommand::Fail(asked) => act::act(&remote()?, "fail", &asked.of, &asked.why),
        SagaCommand::Rollback(asked) => act::act(&remote()?, "rollback", &asked.of, &asked.why),
        SagaCommand::Skip(asked) => act::skip(&remote()?, asked),
        SagaCommand::Rerun(asked) => act::rerun(&remote()?, asked),
        SagaCommand::Signal(asked) => act::signal(&remote()?, asked),
        SagaCommand::Upgrade(asked) => act::upgrade(&remote()?, asked),
        SagaCommand::Export(asked) => act::export(&remote()?, asked),
        SagaCommand::Purge(asked) => act::purge(&remote()?, asked),
        SagaCommand::Check(asked) => check::check(settings, asked),
        SagaCommand::Companions(asked) => companions::companions(asked),
    }
}

fn list(remote: &Remote, asked: &List) -> Result<(), Failure> {
    let query = select::query(asked);
    if asked.json {
        present::say(&remote.text(&query)?);
        return Ok(());
    }
    let page = select::page(remote, &query)?;
    if asked.ids {
        for row in &page.items {
            present::say(&row.run);
        }
    } else if page.items.is_empty() {
        present::note("There are no such runs.");
    } else {
        present::say(&runs::list(&page.items, clock::now()));
    }
    if let Some(next) = page.next {
        present::note(&format!("There are more: add `--after {next}`."));
    }
    Ok(())
}

fn tell(remote: &Remote, asked: &One, write: impl Fn(&View) -> String) -> Result<(), Failure> {
    let path = path(&[&asked.run]);
    let told = if asked.json {
        remote.text(&path)?
    } else {
        write(&remote.get(&path)?)
    };
    present::say(told.trim_end());
    Ok(())
}

/// A path below the sagas, of parts that may hold anything.
fn path(parts: &[&str]) -> String {
    let mut path = "sagas".to_owned();
    for part in parts {
        path.push('/');
        path.push_str(&encoded(part));
    }
    path
}
