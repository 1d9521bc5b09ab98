//! `PATCH /api/v1/products/{sku}`: another name for a product, from those who may edit the range.

use sdk::{
    events::{self, CloudEvent},
    rest::{self, Problem, Request, Response},
    variables,
};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{self, Product},
    shelf::Shelf,
};

/// A product is called something else.
const PRODUCT_RENAMED: &str = "shop.catalog.product-renamed.v1";

/// The variable that lists who may edit: ids of users, with commas between them.
const EDITORS: &str = "editors";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: String,
}

#[derive(Serialize)]
struct ProductRenamed<'a> {
    sku: &'a str,
    name: &'a str,
    /// How many names it has had before.
    revision: u64,
}

/// Nobody may edit unless the manifest says so.
pub(crate) fn admit(request: &Request) -> Result<(), Problem> {
    let who = request.principal()?;
    if variables::lists(EDITORS, who) {
        Ok(())
    } else {
        Err(Problem::forbidden("the range is for its editors to change"))
    }
}

/// Renames a product that is still as the editor has seen it.
pub(crate) fn rename(request: &Request, mut product: Product) -> Result<Response, Problem> {
    unchanged(request, &product)?;
    let change: Change = rest::parse_body(&request.body)?;
    let name = domain::name(&change.name)
        .ok_or_else(|| Problem::invalid_field("/name", "has to be 1 to 100 characters"))?;
    if let Some(revision) = Shelf::open().rename(&product, &name) {
        let data = ProductRenamed {
            sku: &product.sku,
            name: &name,
            revision,
        };
        let renamed = CloudEvent::new(PRODUCT_RENAMED, "/shop/catalog", &product.sku, data);
        events::publish(&renamed);
    }
    product.name = name;
    Ok(rest::json(200, &product).with_header("etag", &rest::etag(&product)))
}

/// Two editors who have read the same must not undo each other's work.
fn unchanged(request: &Request, product: &Product) -> Result<(), Problem> {
    let Some(tags) = request.header("if-match") else {
        return Err(Problem::new(
            428,
            "precondition-required",
            "Precondition required",
            "send the product's ETag in If-Match",
        ));
    };
    let current = rest::etag(product);
    let matches = tags
        .split(',')
        .map(str::trim)
        .any(|tag| tag == "*" || tag == current);
    if matches {
        Ok(())
    } else {
        Err(Problem::new(
            412,
            "precondition-failed",
            "Precondition failed",
            "somebody has changed the product; read it again",
        ))
    }
}

#[cfg(test)]
mod tests {
    use sdk::memory;

    use super::*;
    use crate::routes;

    const PATH: &str = "/api/v1/products/ale-horn";

    fn open() {
        Shelf::open().add(domain::range());
        memory::set_variable(EDITORS, "usr_1, usr_2");
    }

    fn patch(who: &str, tag: Option<&str>, body: &str) -> Response {
        let request = Request::new("PATCH", PATH).unwrap().by(who).with_body(body);
        let request = match tag {
            Some(tag) => request.with_header("if-match", tag),
            None => request,
        };
        rest::answer(&request, routes::answer)
    }

    fn get(target: &str) -> Response {
        rest::answer(&Request::new("GET", target).unwrap(), routes::answer)
    }

    fn tag() -> String {
        get(PATH).header("etag").unwrap().to_owned()
    }

    #[test]
    fn a_product_that_is_renamed_is_renamed_everywhere_and_announced() {
        open();
        let first = tag();
        let renamed = patch("usr_2", Some(&first), r#"{"name":" Mead horn "}"#);
        assert_eq!(
            (renamed.status, renamed.header("etag")),
            (200, Some(tag().as_str()))
        );
        assert_eq!(get(PATH).body, renamed.body);
        let found = get("/api/v1/products?q=mead+horn").body_json();
        assert_eq!(found["items"][0], renamed.body_json());
        let again = patch("usr_1", Some("*"), r#"{"name":"Ale horn"}"#);
        assert_eq!(again.status, 200);
        // The name it has is none to tell of.
        assert_eq!(
            patch("usr_1", Some(&tag()), r#"{"name":"Ale horn"}"#).status,
            200
        );
        let told: Vec<_> = memory::take_published();
        let told: Vec<_> = told
            .iter()
            .map(|(topic, event)| (topic.as_str(), event["data"].clone()))
            .collect();
        let data = |name: &str, revision: u64| serde_json::json!({"sku": "ale-horn", "name": name, "revision": revision});
        assert_eq!(
            told,
            [
                (PRODUCT_RENAMED, data("Mead horn", 1)),
                (PRODUCT_RENAMED, data("Ale horn", 2))
            ]
        );
    }

    #[test]
    fn an_editor_who_has_read_something_else_changes_nothing() {
        open();
        let seen = tag();
        assert_eq!(
            patch("usr_1", Some(&seen), r#"{"name":"Mead horn"}"#).status,
            200
        );
        assert_eq!(
            patch("usr_2", Some(&seen), r#"{"name":"Beer horn"}"#).status,
            412
        );
        assert_eq!(patch("usr_2", None, r#"{"name":"Beer horn"}"#).status, 428);
        assert_eq!(get(PATH).body_json()["name"], "Mead horn");
    }

    #[test]
    fn whoever_is_no_editor_is_told_so_before_anything_else() {
        open();
        let refused = patch("usr_3", None, "");
        insta::assert_snapshot!(String::from_utf8_lossy(&refused.body), @r#"{"type":"https://skald.dev/problems/forbidden","title":"Forbidden","status":403,"detail":"the range is for its editors to change"}"#);
        memory::set_variable(EDITORS, "");
        assert_eq!(
            patch("usr_1", Some("*"), r#"{"name":"Mead horn"}"#).status,
            403
        );
        let nobody = Request::new("PATCH", PATH).unwrap();
        assert_eq!(rest::answer(&nobody, routes::answer).status, 401);
        assert!(memory::take_published().is_empty());
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_place() {
        open();
        for (body, status) in [
            (r#"{"name":"  "}"#, 422),
            (r#"{"name":"a\nb"}"#, 422),
            (r#"{"name":"Horn","price":1}"#, 422),
            ("{", 400),
        ] {
            assert_eq!(patch("usr_1", Some("*"), body).status, status, "{body}");
        }
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(101));
        assert_eq!(
            patch("usr_1", Some("*"), &long).body_json()["errors"][0]["pointer"],
            "/name"
        );
    }
}
