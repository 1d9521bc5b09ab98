//! Who is let in: holders of the token, or programs of this machine.
//!
//! A listener without a token trusts the machine it is on, and a browser on it obeys pages from anywhere. A page can make
//! it ask under a name of its own that leads here; so the host that is asked has to be the machine's, and whatever says
//! that it was sent by a page is refused.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, Uri, header, uri::Authority};

use crate::{
    config::{Access, digest},
    failure::Failure,
};

/// Lets a request pass, or says why not.
pub(crate) async fn pass(
    State(access): State<Access>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let headers = request.headers();
    match &access {
        Access::Local => local(request.uri(), headers)?,
        Access::Token(expected) => holder(expected, headers)?,
    }
    Ok(next.run(request).await)
}

fn holder(expected: &[u8; 32], headers: &HeaderMap) -> Result<(), Failure> {
    let given = headers.get(header::AUTHORIZATION).ok_or(Failure::NoToken)?;
    let (scheme, token) = given
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(Failure::NoToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Failure::NoToken);
    }
    // Two digests: how long the comparison takes says nothing about the token.
    if digest(token.trim()) == *expected {
        Ok(())
    } else {
        Err(Failure::BadToken)
    }
}

fn local(uri: &Uri, headers: &HeaderMap) -> Result<(), Failure> {
    if headers.contains_key(header::ORIGIN) {
        return Err(Failure::Foreign("it was sent by a web page"));
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok().and_then(|host| host.parse().ok()),
        (None | Some(_), _) => None,
    };
    let is_local = host.as_ref().is_some_and(is_own) && uri.authority().is_none_or(is_own);
    if is_local {
        Ok(())
    } else {
        Err(Failure::Foreign(
            "it asks for another host than this machine",
        ))
    }
}

/// Whether this is a name of the machine that no other can take.
fn is_own(authority: &Authority) -> bool {
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
