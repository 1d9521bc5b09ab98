//! The admin API of a running host, as its client sees it.

pub(crate) mod address;

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read as _},
    time::Duration,
};

use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use ureq::Agent;

use crate::{failure::Failure, settings::Settings};

/// The host is on this machine, or near: where nobody answers at once, nobody is there.
const CONNECT: Duration = Duration::from_secs(5);

/// A rehearsal of a long run takes a while.
const ANSWER: Duration = Duration::from_secs(300);

/// A host that can be asked.
pub(crate) struct Remote {
    agent: Agent,
    address: String,
    token: Option<String>,
    /// Where the address is from, for people whom nobody answers.
    hint: String,
}

/// What is sent.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) body: Vec<u8>,
    /// The sender's name for this sending.
    pub(crate) key: Option<String>,
    /// What kind of body it is, where that is not plain.
    pub(crate) kind: Option<&'static str>,
}

/// What a host says.
enum Answer {
    /// The answer.
    Here(Vec<u8>),
    /// That another has it, and where.
    At(String),
}

/// Asks hosts directly, follows nothing, and waits no longer than this for an answer.
pub(crate) fn agent(answer: Duration) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(answer));
    config.build().new_agent()
}

// === impl Remote ===

impl Remote {
    /// The host at `admin`, else the one on the data.
    pub(crate) fn find(settings: &Settings, admin: Option<&str>) -> Result<Self, Failure> {
        // `skald up` takes a free port for 0, and notes which.
        let named = admin.filter(|address| !address.ends_with(":0"));
        if named == Some("off") {
            let why = "the admin API is off; SKALD_ADMIN or --admin says so".to_owned();
            return Err(Failure::Input(why));
        }
        let data = settings.data.display().to_string();
        let (address, hint) = match named {
            Some(address) => (address.to_owned(), "--admin names it".to_owned()),
            None => {
                let found = address::find(&settings.data);
                let hint = format!("{data} names it, from when a host ran there last");
                (found.ok_or_else(|| Failure::NoAddress(data))?, hint)
            }
        };
        Ok(Self {
            agent: agent(ANSWER),
            address: address.trim_start_matches("http://").to_owned(),
            token: settings.admin_token.clone(),
            hint: format!("({hint})"),
        })
    }

    /// What is at a path, as it comes.
    pub(crate) fn text(&self, path: &str) -> Result<String, Failure> {
        let body = self.ask(&Method::GET, path, &Asked::default())?;
        String::from_utf8(body).map_err(|error| self.foreign(&error))
    }

    /// What is at a path.
    pub(crate) fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let body = self.ask(&Method::GET, path, &Asked::default())?;
        serde_json::from_slice(&body).map_err(|error| self.foreign(&error))
    }

    /// Does something that is said in JSON.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let asked = Asked {
            body: body.to_string().into_bytes(),
            ..Asked::default()
        };
        self.done(&Method::POST, path, &asked)
    }

    /// Does something, and answers with what was done.
    pub(crate) fn done(
        &self,
        method: &Method,
        path: &str,
        asked: &Asked,
    ) -> Result<Value, Failure> {
        let body = self.ask(method, path, asked)?;
        serde_json::from_slice(&body).map_err(|error| self.foreign(&error))
    }

    /// Asks the host, and the node that it names where that is another's business.
    fn ask(&self, method: &Method, path: &str, asked: &Asked) -> Result<Vec<u8>, Failure> {
        let place = format!("http://{}/admin/v1/{path}", self.address);
        match self.ask_at(method, &place, asked)? {
            Answer::Here(body) => Ok(body),
            Answer::At(other) => match self.ask_at(method, &other, asked)? {
                Answer::Here(body) => Ok(body),
                Answer::At(_) => Err(self.foreign(&"the nodes send me from one to the other")),
            },
        }
    }

    fn ask_at(&self, method: &Method, place: &str, asked: &Asked) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(method).uri(place);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = &asked.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(kind) = asked.kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request = request
            .body(asked.body.clone())
            .map_err(|error| Failure::Input(error.to_string()))?;
        let response = self
            .agent
            .run(request)
            .map_err(|error| self.silent(&error))?;
        let status = response.status();
        let elsewhere = response.headers().get(header::LOCATION).cloned();
        let mut body = response.into_body();
        let body = body.with_config().limit(u64::MAX).read_to_vec();
        let body = body.map_err(|error| self.silent(&error))?;
        if status.is_success() {
            return Ok(Answer::Here(body));
        }
        let elsewhere = elsewhere.as_ref().and_then(|place| place.to_str().ok());
        if let (StatusCode::TEMPORARY_REDIRECT, Some(place)) = (status, elsewhere) {
            return Ok(Answer::At(place.to_owned()));
        }
        let problem: Value = serde_json::from_slice(&body).unwrap_or(json!({}));
        let member = |name| problem.get(name).and_then(Value::as_str);
        match (member("detail"), member("code")) {
            (Some(detail), Some(code)) => Err(Failure::Refused {
                detail: detail.to_owned(),
                code: code.to_owned(),
            }),
            _ => Err(self.foreign(&status)),
        }
    }

    fn silent(&self, error: &ureq::Error) -> Failure {
        Failure::NoAnswer {
            address: self.address.clone(),
            reason: error.to_string(),
            hint: self.hint.clone(),
        }
    }

    /// That what answers is no admin API.
    pub(crate) fn foreign(&self, why: &dyn ToString) -> Failure {
        Failure::Foreign(self.address.clone(), why.to_string())
    }
}

/// Text as a part of a path or a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// What is to be sent: text, `@file`, or `-` for standard input.
pub(crate) fn content(given: &str) -> Result<Vec<u8>, Failure> {
    if given == "-" {
        let mut bytes = Vec::new();
        let read = io::stdin().read_to_end(&mut bytes);
        return read
            .map(|_| bytes)
            .map_err(|error| Failure::File("standard input".into(), error));
    }
    match given.strip_prefix('@') {
        Some(file) => fs::read(file).map_err(|error| Failure::File(file.into(), error)),
        None => Ok(given.as_bytes().to_vec()),
    }
}
