//! `GET /api/v1/audit/entries` and `GET /api/v1/audit/heads`, for auditors.

use sdk::{
    rest::{self, Problem, Query, Request, Response},
    variables,
};
use serde::Serialize;

use crate::{
    domain::{CHAINS, Entry, Head},
    record::Record,
};

/// The variable that lists who may read: ids of customers, with commas between them.
const AUDITORS: &str = "auditors";

#[derive(Serialize)]
struct Entries {
    items: Vec<Entry>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<u64>,
}

#[derive(Serialize)]
struct Heads {
    heads: Vec<Head>,
}

/// Answers a request.
pub fn answer(request: &Request) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("GET", ["api", "v1", "audit", "entries"]) => entries(request),
        ("GET", ["api", "v1", "audit", "heads"]) => heads(request),
        (_, ["api", "v1", "audit", "entries" | "heads"]) => {
            Err(Problem::method_not_allowed(&["GET"]))
        }
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn entries(request: &Request) -> Result<Response, Problem> {
    admit(request)?;
    let query = request.query();
    let chain = number(query, "chain")?
        .and_then(|chain| u32::try_from(chain).ok())
        .filter(|chain| *chain < CHAINS)
        .ok_or_else(|| Problem::bad_request(format!("chain has to be 0 to {}", CHAINS - 1)))?;
    let after = number(query, "after")?.unwrap_or(0);
    let (items, more) = Record::open().page(chain, after, query.page_size()? as u64);
    let next_after = items.last().map(|entry| entry.number).filter(|_| more);
    Ok(rest::json(200, &Entries { items, next_after }))
}

fn heads(request: &Request) -> Result<Response, Problem> {
    admit(request)?;
    let heads = Record::open().heads();
    Ok(rest::json(200, &Heads { heads }))
}

/// Nobody may read unless the manifest says so.
fn admit(request: &Request) -> Result<(), Problem> {
    let who = request.principal()?;
    if variables::lists(AUDITORS, who) {
        Ok(())
    } else {
        Err(Problem::forbidden("the audit record is for auditors"))
    }
}

fn number(query: &Query, name: &str) -> Result<Option<u64>, Problem> {
    let Some(text) = query.get(name) else {
        return Ok(None);
    };
    let number = text.parse().ok();
    number.map(Some).ok_or_else(|| {
        Problem::bad_request(format!("{name} has to be a whole number, not {text:?}"))
    })
}

#[cfg(test)]
mod tests {
    use sdk::{events::CloudEvent, memory};
    use serde_json::json;

    use super::*;
    use crate::{domain::chain_of, subscriber};

    fn get(target: &str, who: &str) -> Response {
        let request = Request::new("GET", target).unwrap().by(who);
        rest::answer(&request, answer)
    }

    fn filled() -> u32 {
        memory::set_variable(AUDITORS, "usr_9, usr_1");
        for _ in 0..3 {
            let event = CloudEvent::new("shop.order.placed.v1", "/shop/orders", "ord_1", json!({}));
            subscriber::receive(&serde_json::to_vec(&event).unwrap()).unwrap();
        }
        chain_of("ord_1")
    }

    #[test]
    fn a_chain_comes_in_pages_and_ends_where_its_head_says() {
        let chain = filled();
        let path = format!("/api/v1/audit/entries?chain={chain}&page_size=2");
        let first = get(&path, "usr_1").body_json();
        assert_eq!(first["next_after"], 2);
        let last = get(&format!("{path}&after=2"), "usr_1").body_json();
        assert!(last.get("next_after").is_none());
        assert_eq!(last["items"][0]["previous"], first["items"][1]["hash"]);
        let heads = get("/api/v1/audit/heads", "usr_9").body_json();
        let heads = heads["heads"].as_array().unwrap();
        assert_eq!(heads.len(), CHAINS as usize);
        let expected = json!({"chain": chain, "entries": 3, "hash": last["items"][0]["hash"]});
        assert_eq!(heads[chain as usize], expected);
        assert_eq!(
            first["items"][0]["previous"],
            json!(crate::domain::genesis(chain))
        );
    }

    #[test]
    fn only_auditors_may_read() {
        filled();
        let refused = get("/api/v1/audit/heads", "usr_2");
        insta::assert_snapshot!(String::from_utf8_lossy(&refused.body), @r#"{"type":"https://skald.dev/problems/forbidden","title":"Forbidden","status":403,"detail":"the audit record is for auditors"}"#);
        let nobody = Request::new("GET", "/api/v1/audit/entries?chain=0").unwrap();
        assert_eq!(rest::answer(&nobody, answer).status, 401);
        memory::set_variable(AUDITORS, "");
        assert_eq!(get("/api/v1/audit/heads", "usr_1").status, 403);
    }

    #[test]
    fn what_cannot_be_answered_is_a_problem() {
        filled();
        for (target, status) in [
            ("/api/v1/audit/entries", 400),
            ("/api/v1/audit/entries?chain=32", 400),
            ("/api/v1/audit/entries?chain=-1", 400),
            ("/api/v1/audit/entries?chain=0&after=x", 400),
            ("/api/v1/audit/entries?chain=0&page_size=101", 400),
            ("/api/v1/audit/entries?chain=0&after=99999999999999999", 200),
            ("/api/v1/audit", 404),
        ] {
            assert_eq!(get(target, "usr_1").status, status, "{target}");
        }
        let post = Request::new("POST", "/api/v1/audit/heads")
            .unwrap()
            .by("usr_1");
        assert_eq!(rest::answer(&post, answer).status, 405);
    }
}
