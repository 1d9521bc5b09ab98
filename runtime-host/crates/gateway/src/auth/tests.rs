//! Real tokens with real keys, good and bad; the key set comes from a closure.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, header};
use jsonwebtoken::Header;
use parking_lot::Mutex;
use serde_json::{Value, json};
use skald_core::call::CallError;
use tokio::time::{Duration, advance};

use super::Authenticator;
use crate::testing::{Fake, Signer, auth, claims, seconds};

/// An authenticator, and the key set that it will be told.
struct Desk {
    authenticator: Arc<Authenticator>,
    fake: Arc<Fake>,
    published: Arc<Mutex<Option<Bytes>>>,
}

impl Desk {
    fn new(signers: &[&Signer]) -> Self {
        let published = Arc::new(Mutex::new(Some(Signer::jwks(signers))));
        let shown = Arc::clone(&published);
        let fake = Fake::new(move |_| match &*shown.lock() {
            Some(set) => Ok(Response::new(set.clone())),
            None => Err(CallError::ShuttingDown),
        });
        let calls: Arc<Fake> = Arc::clone(&fake);
        Self {
            authenticator: Arc::new(Authenticator::new(auth(), calls)),
            fake,
            published,
        }
    }

    /// Who is let in to this path with this token, or the code and message of the refusal.
    async fn admit(&self, path: &str, token: Option<&str>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(
                header::AUTHORIZATION,
                HeaderValue::try_from(format!("Bearer {token}")).unwrap(),
            );
        }
        let admitted = self
            .authenticator
            .admit(&Method::GET, path, &mut headers)
            .await;
        match admitted {
            Ok(Some(verified)) => {
                assert!(
                    !headers.contains_key(header::AUTHORIZATION),
                    "the token goes no further"
                );
                assert_eq!(verified.header, &*verified.principal.0);
                verified.principal.0.to_string()
            }
            Ok(None) => "nobody".to_owned(),
            Err(failure) => format!("{} {failure}", failure.code()),
        }
    }

    async fn private(&self, token: &str) -> String {
        self.admit("/shop/private", Some(token)).await
    }

    fn reads(&self) -> usize {
        self.fake.asked.lock().len()
    }
}

fn with(key: &str, value: Value) -> Value {
    let mut claims = claims("usr_1");
    claims[key] = value;
    claims
}

#[tokio::test]
async fn a_good_token_names_its_subject() {
    let signer = Signer::new(1);
    let desk = Desk::new(&[&signer]);
    assert_eq!(desk.private(&signer.token("usr_1")).await, "usr_1");
    assert_eq!(
        desk.private(&signer.sign(&with("aud", json!(["other", "test-audience"])), |_| ()))
            .await,
        "usr_1"
    );
    assert_eq!(
        desk.private(&signer.sign(&claims("usr_2"), |header| header.typ =
            Some("at+jwt".into())))
            .await,
        "usr_2"
    );
    assert_eq!(
        desk.private(&signer.sign(&claims("usr_2"), |header| header.kid = None))
            .await,
        "usr_2"
    );
    assert_eq!(desk.reads(), 1);
    let (request, call) = desk.fake.last();
    assert_eq!(request.uri(), "http://identity.spin.internal/jwks.json");
    assert_eq!(request.headers()["spin-path-info"], "/jwks.json");
    assert_eq!(call.target.as_str(), "identity");
}

/// One line for each token: what it is called and what is said of it.
async fn refusals(desk: &Desk, tokens: &[(&str, String)]) -> String {
    let mut said = String::new();
    for (name, token) in tokens {
        said.push_str(&format!("{name}: {}\n", desk.private(token).await));
    }
    said.replace("the access token is refused: ", "")
}

#[tokio::test]
async fn a_token_with_wrong_claims_is_refused() {
    let signer = Signer::new(1);
    let mut without_nbf = claims("usr_1");
    without_nbf.as_object_mut().unwrap().remove("nbf");
    let tokens = [
        ("expired", with("exp", json!(seconds(-30)))),
        ("too early", with("nbf", json!(seconds(30)))),
        ("other issuer", with("iss", json!("somebody"))),
        ("other audience", with("aud", json!("something"))),
        ("no nbf", without_nbf),
        ("no subject", with("sub", json!(""))),
        (
            "subject of two lines",
            with("sub", json!("a\nskald-principal: b")),
        ),
        ("endless", with("exp", json!(u64::MAX))),
    ];
    let tokens = tokens.map(|(name, claims)| (name, signer.sign(&claims, |_| ())));
    insta::assert_snapshot!(refusals(&Desk::new(&[&signer]), &tokens).await, @"
    expired: GW-003 it has expired
    too early: GW-003 it is not valid yet
    other issuer: GW-003 it is not meant for this application
    other audience: GW-003 it is not meant for this application
    no nbf: GW-003 it lacks a claim: iss, aud, exp, nbf and sub are needed
    no subject: GW-003 it lacks a claim: iss, aud, exp, nbf and sub are needed
    subject of two lines: GW-003 it lacks a claim: iss, aud, exp, nbf and sub are needed
    endless: GW-003 it lacks a claim: iss, aud, exp, nbf and sub are needed
    ");
}

#[tokio::test]
async fn a_token_of_wrong_form_or_key_is_refused() {
    let signer = Signer::new(1);
    let typed = |change: fn(&mut Header)| signer.sign(&claims("usr_1"), change);
    let thief = Signer {
        id: signer.id.clone(),
        ..Signer::new(9)
    };
    let good = signer.token("usr_1");
    let (head, signature) = good.rsplit_once('.').unwrap();
    let changed = format!("{}x.{signature}", head.strip_suffix(|_| true).unwrap());
    // Their headers say `none` and `HS256`.
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30.".to_owned();
    let shared = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA".to_owned();
    let tokens = [
        (
            "id token",
            typed(|header| header.typ = Some("id+jwt".into())),
        ),
        (
            "critical extension",
            typed(|header| header.crit = Some(vec!["b64".into()])),
        ),
        ("other key, known name", thief.token("usr_1")),
        ("changed", changed),
        ("no algorithm", none),
        ("shared secret", shared),
        ("rubbish", "rubbish".to_owned()),
        ("empty", String::new()),
        ("huge", "x".repeat(5000)),
    ];
    insta::assert_snapshot!(refusals(&Desk::new(&[&signer]), &tokens).await, @"
    id token: GW-003 its algorithm or type is not accepted
    critical extension: GW-003 its algorithm or type is not accepted
    other key, known name: GW-003 its signature is wrong
    changed: GW-003 its signature is wrong
    no algorithm: GW-003 it is malformed
    shared secret: GW-003 its algorithm or type is not accepted
    rubbish: GW-003 it is malformed
    empty: GW-003 it is malformed
    huge: GW-003 it is malformed
    ");
}

#[tokio::test]
async fn public_routes_need_no_token_and_take_a_good_one() {
    let signer = Signer::new(1);
    let desk = Desk::new(&[&signer]);
    assert_eq!(desk.admit("/shop/public/x", None).await, "nobody");
    assert_eq!(
        desk.admit("/shop/public/x", Some("rubbish")).await,
        "nobody"
    );
    assert_eq!(
        desk.admit("/shop/public/x", Some(&signer.token("usr_1")))
            .await,
        "usr_1"
    );
    assert!(
        desk.admit("/shop/private", None)
            .await
            .starts_with("GW-002")
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_read_at_most_once_in_five_seconds() {
    let (old, new) = (Signer::new(1), Signer::new(2));
    let desk = Desk::new(&[&old]);
    assert_eq!(desk.private(&old.token("usr_1")).await, "usr_1");
    for _ in 0..3 {
        assert!(
            desk.private(&new.token("usr_2"))
                .await
                .starts_with("GW-003")
        );
    }
    assert_eq!(desk.reads(), 1);
    *desk.published.lock() = Some(Signer::jwks(&[&old, &new]));
    advance(Duration::from_secs(5)).await;
    assert_eq!(desk.private(&new.token("usr_2")).await, "usr_2");
    assert_eq!(desk.reads(), 2);
}

#[tokio::test]
async fn the_keys_are_read_once_for_all_who_wait() {
    let signer = Signer::new(1);
    let set = Signer::jwks(&[&signer]);
    let (reads, open) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(tokio::sync::Notify::new()),
    );
    let (counted, gate) = (Arc::clone(&reads), Arc::clone(&open));
    let fake = Fake::slow(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        let (gate, set) = (Arc::clone(&gate), set.clone());
        Box::pin(async move {
            gate.notified().await;
            Ok(Response::new(set))
        })
    });
    let desk = Desk {
        authenticator: Arc::new(Authenticator::new(auth(), Arc::<Fake>::clone(&fake))),
        fake,
        published: Arc::default(),
    };
    let tokens = ["usr_1", "usr_2", "usr_3"].map(|subject| signer.token(subject));
    let [first, second, third] = &tokens;
    open.notify_one();
    let said = tokio::join!(
        desk.private(first),
        desk.private(second),
        desk.private(third)
    );
    assert_eq!(
        said,
        ("usr_1".to_owned(), "usr_2".to_owned(), "usr_3".to_owned())
    );
    assert_eq!(reads.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_keys_are_kept_when_they_cannot_be_read_again() {
    let (known, unknown) = (Signer::new(1), Signer::new(2));
    let desk = Desk::new(&[&known]);
    assert_eq!(desk.private(&known.token("usr_1")).await, "usr_1");
    *desk.published.lock() = None;
    advance(Duration::from_secs(3600)).await;
    assert_eq!(desk.private(&known.token("usr_2")).await, "usr_2");
    // It may be good, so it is not called bad.
    assert!(
        desk.private(&unknown.token("usr_3"))
            .await
            .starts_with("GW-004")
    );
    *desk.published.lock() = Some("not json".into());
    advance(Duration::from_secs(3600)).await;
    assert_eq!(desk.private(&known.token("usr_2")).await, "usr_2");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_not_remembered_longer_than_its_key() {
    let (leaked, fresh) = (Signer::new(1), Signer::new(2));
    let desk = Desk::new(&[&leaked]);
    let token = leaked.token("usr_1");
    assert_eq!(desk.private(&token).await, "usr_1");
    *desk.published.lock() = Some(Signer::jwks(&[&fresh]));
    assert_eq!(desk.private(&token).await, "usr_1");
    advance(super::keys::FRESH + Duration::from_millis(1)).await;
    assert!(desk.private(&token).await.starts_with("GW-003"));
}

#[tokio::test]
async fn keys_that_cannot_check_signatures_are_left_out() {
    let signer = Signer::new(1);
    let desk = Desk::new(&[&signer]);
    let mut set: Value = serde_json::from_slice(&Signer::jwks(&[&signer])).unwrap();
    let keys = set["keys"].as_array_mut().unwrap();
    keys.insert(
        0,
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "key-1", "x": "AAAA" }),
    );
    keys.insert(0, json!({ "kty": "oct", "kid": "key-1", "k": "AAAA" }));
    keys.insert(0, json!({ "kty": "OKP", "crv": "Ed25519", "kid": "key-1", "x": "A".repeat(43), "use": "enc" }));
    *desk.published.lock() = Some(set.to_string().into());
    assert_eq!(desk.private(&signer.token("usr_1")).await, "usr_1");
}

#[tokio::test]
async fn other_schemes_and_two_tokens_are_no_token() {
    let desk = Desk::new(&[]);
    for (values, code) in [
        (&["Basic dXNlcjpwYXNz"][..], "GW-002"),
        (&["Bearer a.b.c", "Bearer d.e.f"], "GW-003"),
    ] {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        let admitted = desk
            .authenticator
            .admit(&Method::GET, "/x", &mut headers)
            .await;
        assert_eq!(admitted.unwrap_err().code(), code);
    }
}
