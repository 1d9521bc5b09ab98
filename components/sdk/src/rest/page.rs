//! Queries, and lists a page at a time: the token says where the next page begins and means nothing to the caller.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use super::{Problem, request::decode};

/// Items on a page unless the caller says otherwise.
const DEFAULT_PAGE_SIZE: usize = 20;

/// More would make answers slow and instances large.
const MAX_PAGE_SIZE: usize = 100;

/// A decoded query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// A token for the next page that carries `cursor`.
pub fn token<T: Serialize>(cursor: &T) -> String {
    let json = serde_json::to_vec(cursor).unwrap_or_else(|error| {
        crate::unavailable(&format!("a cursor cannot be written: {error}"))
    });
    URL_SAFE_NO_PAD.encode(json)
}

impl Query {
    /// Reads what follows the `?`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        text.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((
                    decode(&name.replace('+', " "))?,
                    decode(&value.replace('+', " "))?,
                ))
            })
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| Problem::bad_request("the query cannot be decoded"))
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// `page_size`: 1 to 100, 20 if absent.
    pub fn page_size(&self) -> Result<usize, Problem> {
        let Some(text) = self.get("page_size") else {
            return Ok(DEFAULT_PAGE_SIZE);
        };
        text.parse()
            .ok()
            .filter(|size| (1..=MAX_PAGE_SIZE).contains(size))
            .ok_or_else(|| {
                Problem::bad_request(format!(
                    "page_size has to be 1 to {MAX_PAGE_SIZE}, not {text:?}"
                ))
            })
    }

    /// The cursor inside `page_token`, if there is one.
    pub fn page_token<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        let Some(text) = self.get("page_token").filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .map(Some)
            .ok_or_else(|| Problem::bad_request("page_token is not one of ours"))
    }
}
