//! `skald events`: what happened, who is behind, what was given up on, and what is done about it.

mod confirm;
mod letters;
mod publish;
mod replay;
mod tail;

use skald_admin::view::{Lag, Page, Topic};
use skald_core::saga::record::micros;
use skald_telemetry::clock;

use crate::{
    cli::{self, DlqCommand, Events, EventsCommand},
    failure::Failure,
    present::{self, ink::Ink, log},
    remote::{Remote, encoded},
    settings::Settings,
};

/// Does what is asked.
pub(crate) fn run(settings: &Settings, events: &Events) -> Result<(), Failure> {
    let ink = Ink::detect(events.place.no_color.as_deref());
    let remote = Remote::find(settings, events.place.admin.as_deref())?;
    match &events.command {
        EventsCommand::Topics(asked) => topics(&remote, asked.json),
        EventsCommand::Tail(asked) => tail::tail(&remote, asked, ink),
        EventsCommand::Lag(asked) => lag(&remote, asked),
        EventsCommand::Replay(asked) => replay::replay(&remote, asked),
        EventsCommand::Publish(asked) => publish::publish(&remote, asked),
        EventsCommand::Dlq(dlq) => match &dlq.command {
            DlqCommand::Ls(asked) => letters::list(&remote, asked),
            DlqCommand::Show(asked) => letters::show(&remote, asked, ink),
            DlqCommand::Redrive(asked) => letters::redrive(&remote, asked),
            DlqCommand::Drop(asked) => letters::discard(&remote, asked),
        },
    }
}

fn topics(remote: &Remote, is_json: bool) -> Result<(), Failure> {
    if is_json {
        present::say(&remote.text("topics")?);
        return Ok(());
    }
    let page: Page<Topic> = remote.get("topics")?;
    if page.items.is_empty() {
        present::note("Nothing was published yet, and nobody listens.");
    } else {
        present::say(&log::topics(&page.items));
    }
    Ok(())
}

fn lag(remote: &Remote, asked: &cli::Lag) -> Result<(), Failure> {
    let path = match &asked.subscriber {
        Some(name) => format!("lag?subscriber={}", encoded(name)),
        None => "lag".to_owned(),
    };
    if asked.json {
        present::say(&remote.text(&path)?);
        return Ok(());
    }
    let page: Page<Lag> = remote.get(&path)?;
    if page.items.is_empty() {
        present::note("Nobody listens to events.");
    } else if asked.partitions {
        present::say(&log::partitions(&page.items, micros(clock::now())));
    } else {
        present::say(&log::lag(&page.items));
    }
    Ok(())
}
