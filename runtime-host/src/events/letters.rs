//! `skald events dlq`: what was given up on, and what becomes of it.

use http::Method;
use serde_json::json;
use skald_admin::view::{Letter, Page, Redriven};
use skald_telemetry::clock;

use super::confirm::confirm;
use crate::{
    cli::{self, Drop, Letters, Redrive},
    failure::Failure,
    present::{self, ink::Ink, log},
    remote::{Asked, Remote, encoded},
};

/// How many letters are asked for at once.
const PAGE: usize = 1_000;

/// `ls`.
pub(super) fn list(remote: &Remote, asked: &Letters) -> Result<(), Failure> {
    let mut path = format!("dead-letters?limit={}", asked.limit);
    for (name, value) in [("subscriber", &asked.subscriber), ("after", &asked.after)] {
        if let Some(value) = value {
            path += &format!("&{name}={}", encoded(value));
        }
    }
    if asked.json {
        present::say(&remote.text(&path)?);
        return Ok(());
    }
    let page: Page<Letter> = remote.get(&path)?;
    if asked.ids {
        for letter in &page.items {
            present::say(&letter.id);
        }
    } else if page.items.is_empty() {
        present::note("There are no dead letters.");
    } else {
        present::say(&log::letters(&page.items, clock::now()));
    }
    if let Some(next) = page.next {
        present::note(&format!("There are more: add `--after {next}`."));
    }
    Ok(())
}

/// `show`.
pub(super) fn show(remote: &Remote, asked: &cli::Letter, ink: Ink) -> Result<(), Failure> {
    let path = path(&asked.letter);
    let told = if asked.json {
        remote.text(&path)?
    } else {
        log::letter(&remote.get(&path)?, ink)
    };
    present::say(told.trim_end());
    Ok(())
}

/// `redrive`.
pub(super) fn redrive(remote: &Remote, asked: &Redrive) -> Result<(), Failure> {
    let who = encoded(&asked.who.who);
    let Some(subscriber) = &asked.which.subscriber else {
        return each(&asked.which.letters, |letter| {
            remote.post(&format!("{}/redrive?who={who}", path(letter)), &json!({}))?;
            present::say(&format!("{letter} is delivered again."));
            Ok(())
        });
    };
    let order = json!({
        "subscriber": subscriber,
        "limit": asked.limit.unwrap_or(PAGE),
        "who": asked.who.who,
    });
    let done = remote.post("dead-letters/redrive", &order)?;
    let done: Redriven = serde_json::from_value(done).map_err(|error| remote.foreign(&error))?;
    present::say(&match done.redriven {
        1 => format!("1 event is delivered to {subscriber} again."),
        other => format!("{other} events are delivered to {subscriber} again."),
    });
    if done.more {
        present::note("There are more; say it again for the next ones.");
    }
    Ok(())
}

/// `drop`.
pub(super) fn discard(remote: &Remote, asked: &Drop) -> Result<(), Failure> {
    let letters = match &asked.which.subscriber {
        Some(subscriber) => all(remote, subscriber)?,
        None => asked.which.letters.clone(),
    };
    if letters.is_empty() {
        present::note("There are no dead letters.");
        return Ok(());
    }
    let what = match letters.as_slice() {
        [one] => format!("{one} will never be handled, and is forgotten."),
        several => format!(
            "{} dead letters will never be handled, and are forgotten.",
            several.len()
        ),
    };
    confirm(asked.yes, &what)?;
    let who = encoded(&asked.who.who);
    let mut forgotten = 0;
    let outcome = each(&letters, |letter| {
        let path = format!("{}?who={who}", path(letter));
        remote.done(&Method::DELETE, &path, &Asked::default())?;
        forgotten += 1;
        Ok(())
    });
    present::say(&match forgotten {
        1 => "1 dead letter is forgotten.".to_owned(),
        other => format!("{other} dead letters are forgotten."),
    });
    outcome
}

/// The names of all letters of a subscriber.
fn all(remote: &Remote, subscriber: &str) -> Result<Vec<String>, Failure> {
    let first = format!(
        "dead-letters?limit={PAGE}&subscriber={}",
        encoded(subscriber)
    );
    let mut page: Page<Letter> = remote.get(&first)?;
    let mut names = Vec::new();
    loop {
        names.extend(page.items.drain(..).map(|letter| letter.id));
        let Some(next) = &page.next else {
            return Ok(names);
        };
        page = remote.get(&format!("{first}&after={}", encoded(next)))?;
    }
}

fn path(letter: &str) -> String {
    format!("dead-letters/{}", encoded(letter))
}

/// Does something for each letter, and goes on where one is refused.
fn each(
    letters: &[String],
    mut act: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut refused = 0;
    for letter in letters {
        match act(letter) {
            Ok(()) => {}
            Err(failure @ Failure::Refused { .. }) if letters.len() > 1 => {
                present::note(&failure.to_string());
                refused += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
    if refused == 0 {
        return Ok(());
    }
    let all = letters.len();
    let what = format!("{refused} of {all} dead letters were refused");
    Err(Failure::Findings(what))
}
