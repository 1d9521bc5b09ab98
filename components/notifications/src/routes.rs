//! `GET /api/v1/notifications`: the caller's own mailbox.

use sdk::rest::{self, Page, Problem, Request, Response};

use crate::mailbox::Mailboxes;

/// Answers a request.
pub fn answer(request: &Request) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("GET", ["api", "v1", "notifications"]) => list(request),
        (_, ["api", "v1", "notifications"]) => Err(Problem::method_not_allowed(&["GET"])),
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn list(request: &Request) -> Result<Response, Problem> {
    let user = request.principal()?;
    let before = request.query().page_token()?;
    let size = request.query().page_size()?;
    let (items, next) = Mailboxes::open().page(user, before, size as u64);
    let next_page_token = next.as_ref().map(rest::token);
    Ok(rest::json(
        200,
        &Page {
            items,
            next_page_token,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Entry;

    fn entry(number: u32) -> Entry {
        Entry {
            id: format!("ntf_{number}"),
            at: "2026-08-21T09:30:00.000Z".to_owned(),
            kind: "order-placed".to_owned(),
            text: format!("We have your order {number}."),
        }
    }

    fn get(target: &str, user: &str) -> Response {
        let request = Request::new("GET", target).unwrap().by(user);
        rest::answer(&request, answer)
    }

    #[test]
    fn a_mailbox_comes_in_pages_newest_first() {
        for number in 0..3 {
            Mailboxes::open().add("usr_1", &entry(number));
        }
        let first = get("/api/v1/notifications?page_size=2", "usr_1").body_json();
        assert_eq!(first["items"][0]["id"], "ntf_2");
        let token = first["next_page_token"].as_str().unwrap();
        let last = get(
            &format!("/api/v1/notifications?page_size=2&page_token={token}"),
            "usr_1",
        );
        insta::assert_snapshot!(String::from_utf8_lossy(&last.body), @r#"{"items":[{"id":"ntf_0","at":"2026-08-21T09:30:00.000Z","kind":"order-placed","text":"We have your order 0."}]}"#);
        insta::assert_snapshot!(String::from_utf8_lossy(&get("/api/v1/notifications", "usr_2").body), @r#"{"items":[]}"#);
    }

    #[test]
    fn a_mailbox_is_for_its_owner() {
        let nobody = Request::new("GET", "/api/v1/notifications").unwrap();
        assert_eq!(rest::answer(&nobody, answer).status, 401);
        assert_eq!(
            get("/api/v1/notifications?page_size=1000", "usr_1").status,
            400
        );
        assert_eq!(
            get("/api/v1/notifications?page_token=x", "usr_1").status,
            400
        );
        let post = Request::new("POST", "/api/v1/notifications")
            .unwrap()
            .by("usr_1");
        assert_eq!(rest::answer(&post, answer).status, 405);
    }
}
