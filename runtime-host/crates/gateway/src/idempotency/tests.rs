//! Keys in and out, and which requests are one and the same.

use bytes::Bytes;
use http::Request;
use skald_core::{
    context::{Once, Principal},
    manifest::{ByteSize, ComponentId},
    route::MethodPattern,
};

use super::once;
use crate::config::ComponentTarget;

struct Asked<'a> {
    method: &'a str,
    uri: &'a str,
    keys: &'a [&'a str],
    principal: Option<&'a str>,
    body: &'a str,
}

const ORDER: Asked<'_> = Asked {
    method: "POST",
    uri: "/orders",
    keys: &["\"k-1\""],
    principal: Some("usr_1"),
    body: "{}",
};

/// The scope and the fingerprint, or nothing where the route needs no key, or the code of the refusal.
fn check(asked: &Asked<'_>) -> Result<Option<(String, String)>, &'static str> {
    let target = ComponentTarget {
        id: ComponentId::from("orders"),
        body_limit: ByteSize::kib(1),
        idempotent: vec![MethodPattern::parse("POST /orders").unwrap()],
    };
    let mut request = Request::builder().method(asked.method).uri(asked.uri);
    for key in asked.keys {
        request = request.header("idempotency-key", *key);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    let principal = asked.principal.map(|name| Principal(name.into()));
    let once = once(
        &target,
        &head,
        principal.as_ref(),
        &Bytes::copy_from_slice(asked.body.as_bytes()),
    );
    match once.map_err(|failure| failure.code())? {
        Some(Once::Key(key)) => Ok(Some((key.scope, key.fingerprint))),
        Some(Once::Inbox(mark)) => panic!("{mark:?}"),
        Some(Once::Step(step)) => panic!("{step:?}"),
        None => Ok(None),
    }
}

fn scope(asked: &Asked<'_>) -> String {
    check(asked).unwrap().unwrap().0
}

fn fingerprint(asked: &Asked<'_>) -> String {
    check(asked).unwrap().unwrap().1
}

#[test]
fn only_declared_routes_need_a_key() {
    assert_eq!(
        check(&Asked {
            method: "GET",
            keys: &[],
            ..ORDER
        }),
        Ok(None)
    );
    assert_eq!(
        check(&Asked {
            uri: "/orders/1",
            keys: &[],
            ..ORDER
        }),
        Ok(None)
    );
    assert_eq!(check(&Asked { keys: &[], ..ORDER }), Err("GW-008"));
}

#[test]
fn a_key_is_one_value_of_visible_characters() {
    let longest = "k".repeat(255);
    let too_long = "k".repeat(256);
    for good in [
        "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
        "plain",
        longest.as_str(),
    ] {
        assert!(
            check(&Asked {
                keys: &[good],
                ..ORDER
            })
            .is_ok(),
            "{good}"
        );
    }
    for bad in ["", "\"\"", "a b", "\"a\"b\"", "\"", too_long.as_str()] {
        assert_eq!(
            check(&Asked {
                keys: &[bad],
                ..ORDER
            }),
            Err("GW-009"),
            "{bad}"
        );
    }
    assert_eq!(
        check(&Asked {
            keys: &["a", "b"],
            ..ORDER
        }),
        Err("GW-009")
    );
}

#[test]
fn a_key_belongs_to_its_owner_and_route() {
    insta::assert_snapshot!(scope(&ORDER), @"POST /orders k-1 usr_1");
    assert_eq!(
        scope(&ORDER),
        scope(&Asked {
            keys: &["k-1"],
            body: "other",
            ..ORDER
        })
    );
    assert_ne!(
        scope(&ORDER),
        scope(&Asked {
            principal: Some("usr_2"),
            ..ORDER
        })
    );
    assert_ne!(
        scope(&ORDER),
        scope(&Asked {
            principal: None,
            ..ORDER
        })
    );
    assert_ne!(
        scope(&ORDER),
        scope(&Asked {
            keys: &["k-2"],
            ..ORDER
        })
    );
}

#[test]
fn another_request_has_another_fingerprint() {
    insta::assert_snapshot!(fingerprint(&ORDER), @"70d0f1bd83d00d4a2cc107cd582992d7935598dac6ad52f2b3bfe797a5a21290");
    assert_eq!(
        fingerprint(&ORDER),
        fingerprint(&Asked {
            principal: None,
            ..ORDER
        })
    );
    assert_ne!(
        fingerprint(&ORDER),
        fingerprint(&Asked {
            body: "{ }",
            ..ORDER
        })
    );
    assert_ne!(
        fingerprint(&ORDER),
        fingerprint(&Asked {
            uri: "/orders?dry=1",
            ..ORDER
        })
    );
}
