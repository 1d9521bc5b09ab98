//! Whole requests against a store in memory; passwords are hashed cheaply.

use super::*;
use crate::domain::Cost;

const EGIL: &str = r#"{"email":"Egil@Borg.is","name":"Egil","password":"Sonatorrek"}"#;

fn ask(method: &str, target: &str, body: &str) -> Response {
    let hasher = Hasher::new(Cost {
        memory: 8,
        passes: 1,
    });
    sdk::memory::set_variable("token_lifetime", "3600");
    let request = Request::new(method, target).unwrap().with_body(body);
    rest::answer(&request, |request| answer(request, &hasher))
}

fn post(target: &str, body: &str) -> Response {
    ask("POST", target, body)
}

#[test]
fn whoever_registers_is_announced_and_can_log_in() {
    let registered = post("/api/v1/users", EGIL);
    assert_eq!(registered.status, 201);
    let id = registered.body_json()["id"].as_str().unwrap().to_owned();
    assert!(ids::is("usr", &id), "{id}");

    let published = sdk::memory::take_published();
    let [(topic, event)] = published.as_slice() else {
        panic!("one event, not {published:?}");
    };
    assert_eq!(
        (topic.as_str(), event["subject"].as_str()),
        (USER_REGISTERED, Some(id.as_str()))
    );
    assert_eq!(
        event["data"],
        serde_json::json!({"user": id, "email": "egil@borg.is", "name": "Egil"})
    );

    let session = post(
        "/api/v1/sessions",
        r#"{"email":"EGIL@borg.is","password":"Sonatorrek"}"#,
    );
    assert_eq!(session.status, 201);
    let json = session.body_json();
    assert_eq!(
        (&json["token_type"], &json["expires_in"]),
        (&"Bearer".into(), &3_600.into())
    );
    assert_eq!(json["access_token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(Register::open().find(&id).unwrap().email, "egil@borg.is");
}

#[test]
fn an_address_is_registered_once() {
    assert_eq!(post("/api/v1/users", EGIL).status, 201);
    let again = post(
        "/api/v1/users",
        &EGIL.replace("Egil@Borg.is", "egil@borg.IS"),
    );
    assert_eq!(again.status, 409);
    insta::assert_snapshot!(String::from_utf8_lossy(&again.body), @r#"{"type":"https://skald.dev/problems/email-taken","title":"Email is taken","status":409,"detail":"somebody is registered with this address"}"#);
    assert_eq!(sdk::memory::take_published().len(), 1);
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_told_the_same() {
    post("/api/v1/users", EGIL);
    let wrong = post(
        "/api/v1/sessions",
        r#"{"email":"egil@borg.is","password":"Hofudlausn"}"#,
    );
    assert_eq!(wrong.status, 401);
    insta::assert_snapshot!(String::from_utf8_lossy(&wrong.body), @r#"{"type":"https://skald.dev/problems/wrong-credentials","title":"Wrong credentials","status":401,"detail":"email and password do not belong together"}"#);
    for body in [
        r#"{"email":"snorri@borg.is","password":"Sonatorrek"}"#,
        r#"{"email":"snorri","password":""}"#,
    ] {
        assert_eq!(post("/api/v1/sessions", body), wrong);
    }
}

#[test]
fn a_registration_that_breaks_rules_is_refused_with_the_places() {
    let refused = post(
        "/api/v1/users",
        r#"{"email":"egil","name":"","password":"short"}"#,
    );
    assert_eq!(refused.status, 422);
    insta::assert_snapshot!(String::from_utf8_lossy(&refused.body), @r#"{"type":"https://skald.dev/problems/invalid-content","title":"Invalid content","status":422,"detail":"the registration breaks a rule","errors":[{"pointer":"/email","detail":"has to be an address like name@example.com"},{"pointer":"/name","detail":"has to be 1 to 100 characters"},{"pointer":"/password","detail":"has to be 8 to 128 characters"}]}"#);
    let unknown = EGIL.replace("{", r#"{"admin":true,"#);
    assert_eq!(
        post("/api/v1/users", &unknown).body_json()["errors"][0]["pointer"],
        "/admin"
    );
    assert_eq!(post("/api/v1/users", "").status, 400);
    assert!(sdk::memory::take_published().is_empty());
}

#[test]
fn the_key_set_stays_the_same_and_is_public() {
    let first = ask("GET", "/.well-known/jwks.json", "");
    assert_eq!(first.status, 200);
    let key = &first.body_json()["keys"][0];
    let facts = ["kty", "crv", "use", "alg"].map(|name| key[name].as_str().unwrap());
    assert_eq!(facts, ["OKP", "Ed25519", "sig", "EdDSA"]);
    assert!(key.get("d").is_none());
    assert_eq!(ask("GET", "/.well-known/jwks.json", ""), first);
}

#[test]
fn other_methods_and_places_are_refused() {
    let refused = ask("GET", "/api/v1/users", "");
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("POST"))
    );
    assert_eq!(ask("PUT", "/.well-known/jwks.json", "").status, 405);
    assert_eq!(ask("GET", "/api/v1/users/usr_1", "").status, 404);
}

fn patch(id: &str, body: &str) -> Response {
    let hasher = Hasher::new(Cost {
        memory: 8,
        passes: 1,
    });
    let request = Request::new("PATCH", "/api/v1/users/me").unwrap();
    let request = request.by(id).with_body(body);
    rest::answer(&request, |request| answer(request, &hasher))
}

#[test]
fn a_customer_who_is_renamed_is_announced_with_the_number_of_the_name() {
    let id = post("/api/v1/users", EGIL).body_json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    sdk::memory::take_published();
    for name in ["Skalla", " Skalla ", "Egil"] {
        let renamed = patch(&id, &serde_json::json!({"name": name}).to_string());
        assert_eq!(renamed.status, 200);
        let expected = serde_json::json!({"id": id, "email": "egil@borg.is", "name": name.trim()});
        assert_eq!(renamed.body_json(), expected);
    }
    let published = sdk::memory::take_published();
    let told: Vec<_> = published
        .iter()
        .map(|(topic, event)| (topic.as_str(), event["data"].clone()))
        .collect();
    let data = |name: &str, revision: u64| serde_json::json!({"user": id, "name": name, "revision": revision});
    assert_eq!(
        told,
        [
            (USER_RENAMED, data("Skalla", 1)),
            (USER_RENAMED, data("Egil", 2))
        ]
    );
    let request = Request::new("GET", "/api/v1/users/me").unwrap().by(&id);
    let seen = rest::answer(&request, profile);
    assert_eq!(
        (
            seen.body_json()["name"].as_str(),
            seen.header("etag").is_some()
        ),
        (Some("Egil"), true)
    );
}

#[test]
fn a_rename_that_breaks_rules_changes_nothing() {
    let id = post("/api/v1/users", EGIL).body_json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    sdk::memory::take_published();
    let refused = patch(&id, r#"{"name":" "}"#);
    insta::assert_snapshot!(String::from_utf8_lossy(&refused.body), @r#"{"type":"https://skald.dev/problems/invalid-content","title":"Invalid content","status":422,"detail":"the body breaks a rule","errors":[{"pointer":"/name","detail":"has to be 1 to 100 characters"}]}"#);
    assert_eq!(
        patch(&id, r#"{"name":"Skalla","email":"s@borg.is"}"#).status,
        422
    );
    assert_eq!(patch("usr_9", r#"{"name":"Skalla"}"#).status, 404);
    assert_eq!(
        ask("PATCH", "/api/v1/users/me", r#"{"name":"Skalla"}"#).status,
        401
    );
    assert_eq!(ask("DELETE", "/api/v1/users/me", "").status, 405);
    assert_eq!(Register::open().find(&id).unwrap().name, "Egil");
    assert!(sdk::memory::take_published().is_empty());
}
