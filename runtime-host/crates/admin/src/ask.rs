//! What is asked, as queries and bodies say it. Whatever is not understood is refused: a misspelt filter must not list,
//! and a misspelt order must not act on, something else than is meant.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Deserialize, de::DeserializeOwned};
use skald_core::{
    saga::{
        By, RunId, Verb,
        journal::{Filter, Standing},
    },
    value::Value,
};
use tokio::time::timeout;

use crate::failure::Failure;

/// The longest body: what the payload of a signal may have.
pub(crate) const LONGEST_BODY: usize = 1 << 20;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// How many runs a list has where nobody says.
const LIMIT: usize = 100;

/// How many it has at most.
const MOST: usize = 1_000;

/// The longest name and reason that a journal is to keep.
const LONGEST_TEXT: usize = 2_000;

/// Who acts where they do not say.
const SOMEBODY: &str = "admin";

/// What comes with a verb.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Order {
    who: Option<String>,
    why: String,
    /// A value of the component model, with the name of its type.
    answer: Option<serde_json::Value>,
}

/// What comes with a rerun.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rerun {
    #[serde(default)]
    who: Option<String>,
    #[serde(default)]
    why: String,
    /// The first command that is not taken over.
    pub(crate) from: u32,
}

/// What comes with an upgrade.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Renewal {
    who: Option<String>,
    why: String,
    /// Whether it is only tried.
    pub(crate) rehearse: bool,
}

// === impl Order ===

impl Order {
    /// The verb of that name, and who wants it.
    pub(crate) fn verb(self, name: &str) -> Result<(Verb, By), Failure> {
        let Self { who, why, answer } = self;
        let has_answer = answer.is_some();
        let verb = match name {
            "retry" => Verb::Retry,
            "skip" => Verb::Skip {
                answer: answer.map(value).transpose()?,
            },
            "fail" => Verb::Fail,
            "rollback" => Verb::Rollback,
            "cancel" => Verb::Cancel,
            _ => return Err(Failure::NoSuchPath),
        };
        if has_answer && !matches!(verb, Verb::Skip { .. }) {
            let what = format!("{name} takes no `answer`, only skip does");
            return Err(Failure::Malformed(what));
        }
        // Whoever looks at the run later has only this to know why it is not as its code would have it.
        let needs_reason = matches!(verb, Verb::Skip { .. } | Verb::Fail | Verb::Rollback);
        if needs_reason && why.trim().is_empty() {
            let what = format!("{name} needs a `why`; it is kept in the journal");
            return Err(Failure::Malformed(what));
        }
        let by = by(who, name, why)?;
        Ok((verb, by))
    }
}

impl Rerun {
    pub(crate) fn by(self) -> Result<By, Failure> {
        by(self.who, "rerun", self.why)
    }
}

impl Renewal {
    pub(crate) fn by(self) -> Result<By, Failure> {
        by(self.who, "upgrade", self.why)
    }
}

fn by(who: Option<String>, verb: &str, why: String) -> Result<By, Failure> {
    let who = who.filter(|who| !who.trim().is_empty());
    let who = who.unwrap_or_else(|| SOMEBODY.to_owned());
    if who.len().max(why.len()) > LONGEST_TEXT {
        let what = format!("`who` and `why` may have {LONGEST_TEXT} bytes each");
        return Err(Failure::Malformed(what));
    }
    Ok(By {
        who,
        verb: verb.to_owned(),
        why,
    })
}

/// The whole body.
pub(crate) async fn bytes(body: Body) -> Result<Bytes, Failure> {
    let read = timeout(BODY_TIME, Limited::new(body, LONGEST_BODY).collect()).await;
    match read {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Failure::BodyTooLong(LONGEST_BODY)),
        Ok(Err(_)) => Err(Failure::BodyBroken("it broke off")),
        Err(_) => Err(Failure::BodyBroken("it did not arrive in time")),
    }
}

/// The body as JSON; none is an empty object.
pub(crate) async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    let bytes = bytes(body).await?;
    let bytes = if bytes.is_empty() { b"{}" } else { &*bytes };
    serde_json::from_slice(bytes).map_err(|error| {
        Failure::Malformed(format!("the body is not what is expected here: {error}"))
    })
}

fn value(answer: serde_json::Value) -> Result<Value, Failure> {
    serde_json::from_value(answer).map_err(|error| {
        Failure::Malformed(format!(
            "the answer is no value with the name of its type, like {{\"Result\": {{\"Ok\": {{\"U32\": 7}}}}}}: {error}"
        ))
    })
}

/// The sender's name for a signal, if it has one.
pub(crate) fn signal_id(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let mut values = headers.get_all("idempotency-key").iter();
    let (Some(value), rest) = (values.next(), values.next()) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let is_key = rest.is_none()
        && (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_key {
        Ok(Some(text.to_owned()))
    } else {
        let what =
            "the header `Idempotency-Key` must be one value of 1 to 255 visible ASCII characters";
        Err(Failure::Malformed(what.to_owned()))
    }
}

/// Which runs a query asks for.
pub(crate) fn filter(query: Vec<(String, String)>) -> Result<Filter, Failure> {
    let mut filter = Filter {
        limit: LIMIT,
        ..Filter::default()
    };
    for (name, value) in query {
        match name.as_str() {
            "standing" => filter.standings.extend(standings(&value)?),
            "component" => filter.component = Some(value),
            "subject" => filter.subject = Some(value),
            "prefix" => filter.prefix = Some(value),
            "after" => filter.after = Some(RunId::from(value)),
            "limit" => filter.limit = limit(&value)?,
            _ => {
                let known = "standing, component, subject, prefix, after and limit";
                let what = format!("{name:?} is no filter; there are {known}");
                return Err(Failure::Malformed(what));
            }
        }
    }
    Ok(filter)
}

fn standings(text: &str) -> Result<Vec<Standing>, Failure> {
    let parse = |name: &str| {
        Standing::parse(name).ok_or_else(|| {
            let known = Standing::ALL.map(Standing::as_str).join(", ");
            Failure::Malformed(format!("{name:?} is no standing; there are {known}"))
        })
    };
    text.split(',').map(str::trim).map(parse).collect()
}

fn limit(text: &str) -> Result<usize, Failure> {
    let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    limit.ok_or_else(|| Failure::Malformed(format!("`limit` is a number from 1 to {MOST}")))
}
