//! The audit record of a running shop, over its public API.

use std::{fs, path::PathBuf, time::Duration};

use http::{Request, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use ureq::Agent;

use super::entry::{Entry, Head, Heads};
use crate::{failure::Failure, remote};

/// For one page.
const ANSWER: Duration = Duration::from_secs(60);

/// No page is longer: the host answers no more.
const LONGEST: u64 = 16 << 20;

/// A shop that can be asked.
pub(super) struct Remote {
    agent: Agent,
    shop: String,
    token: Option<String>,
}

/// Entries of one chain.
#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) items: Vec<Entry>,
    /// The number after which the next page begins, if there is one.
    pub(super) next_after: Option<u64>,
}

// === impl Remote ===

impl Remote {
    /// The shop at this address.
    pub(super) fn new(from: &str, token: Option<&str>) -> Result<Self, Failure> {
        if !from.starts_with("http://") {
            let why = format!(
                "--from {from}: write an address like http://127.0.0.1:3000; what is behind TLS can be saved as a file"
            );
            return Err(Failure::Input(why));
        }
        Ok(Self {
            agent: remote::agent(ANSWER),
            shop: from.trim_end_matches('/').to_owned(),
            token: token.map(content).transpose()?,
        })
    }

    /// Where each chain ends.
    pub(super) fn heads(&self) -> Result<Vec<Head>, Failure> {
        let heads: Heads = self.get("heads")?;
        Ok(heads.heads)
    }

    /// Entries of a chain after number `after`.
    pub(super) fn page(&self, chain: u32, after: u64) -> Result<Page, Failure> {
        let path = format!("entries?chain={chain}&after={after}&page_size=100");
        let page: Page = self.get(&path)?;
        // Else there would be no end of pages.
        if page.next_after.is_some_and(|next| next <= after) {
            return Err(self.foreign("its pages go in circles"));
        }
        if page.items.iter().any(|entry| entry.chain != chain) {
            return Err(self.foreign(&format!("chain {chain} has entries of others")));
        }
        Ok(page)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let mut request = Request::get(format!("{}/api/v1/audit/{path}", self.shop));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request
            .body(())
            .map_err(|error| Failure::Input(error.to_string()))?;
        let response = self
            .agent
            .run(request)
            .map_err(|error| self.silent(&error))?;
        let status = response.status();
        let mut body = response.into_body();
        let body = body.with_config().limit(LONGEST).read_to_vec();
        let body = body.map_err(|error| self.silent(&error))?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| self.foreign(&error.to_string()));
        }
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        match problem.get("detail").and_then(Value::as_str) {
            Some(detail) => Err(Failure::Refused {
                detail: detail.to_owned(),
                code: status.as_u16().to_string(),
            }),
            None => Err(self.foreign(&format!("it answers {status}"))),
        }
    }

    fn silent(&self, error: &ureq::Error) -> Failure {
        Failure::NoAnswer {
            address: self.shop.clone(),
            reason: error.to_string(),
            hint: "(--from names it)".to_owned(),
        }
    }

    fn foreign(&self, why: &str) -> Failure {
        let shop = &self.shop;
        Failure::Findings(format!("{shop} does not tell an audit record: {why}"))
    }
}

/// A token, or what is in the file that is named instead.
fn content(given: &str) -> Result<String, Failure> {
    let Some(file) = given.strip_prefix('@') else {
        return Ok(given.to_owned());
    };
    let text =
        fs::read_to_string(file).map_err(|error| Failure::File(PathBuf::from(file), error))?;
    Ok(text.trim().to_owned())
}
