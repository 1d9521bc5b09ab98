//! `Prefer: wait=N` (RFC 7240): the gateway asks again in the client's place until accepted work is done.
//!
//! A component says that work goes on with 202, `Location` and, at that location, `Retry-After`. It never has to wait.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use skald_core::manifest::ComponentId;
use tokio::time::{Instant, sleep_until};

use crate::{
    auth::Verified,
    config::Target,
    failure::Failure,
    forward,
    gateway::{Gateway, Visit},
    path,
};

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// A longer wait is cut by proxies and telephone networks.
const LONGEST: Duration = Duration::from_secs(30);
/// The first pause: about what a short saga takes here.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// Pauses double up to this, which nobody notices in a wait of seconds.
const LAST_PAUSE: Duration = Duration::from_millis(100);

/// Pauses grow with the number of those who wait, so that all of them together ask about a thousand times a second: a
/// crowd must not keep the work from being done by asking for it.
const SHARE: Duration = Duration::from_millis(1);

/// How many requests wait for work to be done.
#[derive(Debug, Default)]
pub(crate) struct Waiting(AtomicU32);

/// Counts one of them, until it is dropped.
struct Counted<'a>(&'a Waiting);

/// How long a client wants to wait, and what it accepts.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    time: Duration,
    accept: Option<HeaderValue>,
}

/// Where the answer will be.
struct Place<'a> {
    uri: Uri,
    visitor: Option<&'a Verified>,
    accept: Option<HeaderValue>,
}

// === impl Waiting ===

impl Waiting {
    fn enter(&self) -> Counted<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self)
    }

    /// The least pause that is fair to the work.
    fn share(&self) -> Duration {
        SHARE * self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

// === impl Wait ===

impl Wait {
    /// The first `wait` among the preferences; nothing where there is none or it has no number.
    pub(crate) fn wanted(headers: &HeaderMap) -> Option<Self> {
        let mut texts = headers
            .get_all(PREFER)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let seconds: u64 = texts.find_map(|text| text.split(',').find_map(wait_of))?;
        let time = Duration::from_secs(seconds).min(LONGEST);
        (!time.is_zero()).then(|| Self {
            time,
            accept: headers.get(header::ACCEPT).cloned(),
        })
    }
}

/// The number of `wait=5`, `wait="5"` or `wait=5; whatever`.
fn wait_of(preference: &str) -> Option<u64> {
    let (name, value) = preference.split(';').next()?.split_once('=')?;
    let seconds = value.trim().trim_matches('"').parse().ok()?;
    name.trim().eq_ignore_ascii_case("wait").then_some(seconds)
}

// === impl Gateway ===

impl Gateway {
    /// `accepted` itself, or what its location says once the work is done, if that is in time.
    pub(crate) async fn wait(
        &self,
        accepted: Response<Bytes>,
        wait: Wait,
        visit: &Visit<'_>,
        visitor: Option<&Verified>,
    ) -> Response<Bytes> {
        let location = accepted
            .headers()
            .get(header::LOCATION)
            .filter(|_| accepted.status() == StatusCode::ACCEPTED);
        let Some(location) = location.cloned() else {
            return accepted;
        };
        let Some(uri) = local(&location, visit) else {
            return accepted;
        };
        let place = Place {
            uri,
            visitor,
            accept: wait.accept,
        };
        let Some(mut done) = self
            .ask_until_done(&place, visit, visit.started + wait.time)
            .await
        else {
            return accepted;
        };
        let headers = done.headers_mut();
        let applied = HeaderValue::try_from(format!("wait={}", wait.time.as_secs()));
        headers.extend(applied.ok().map(|applied| (PREFERENCE_APPLIED, applied)));
        // What is sent is the thing at the location, not an answer to the method (RFC 9110, 8.7).
        headers.insert(header::CONTENT_LOCATION, location.clone());
        headers.insert(header::LOCATION, location);
        done
    }

    async fn ask_until_done(
        &self,
        place: &Place<'_>,
        visit: &Visit<'_>,
        until: Instant,
    ) -> Option<Response<Bytes>> {
        let _counted = self.waiting.enter();
        let mut pause = FIRST_PAUSE;
        loop {
            let next = Instant::now() + pause.max(self.waiting.share());
            tokio::select! {
                // A stop does not wait for work that goes on after it.
                () = visit.peer.stop.wait() => return None,
                () = sleep_until(until.min(next)) => (),
            }
            match self.ask_again(place, visit).await {
                Ok(answer) if is_done(&answer) => return Some(answer),
                // Work goes on; or it failed to say so, which may pass, and the 202 is an answer too.
                Ok(answer)
                    if answer.status() == StatusCode::OK || answer.status().is_server_error() => {}
                Err(Failure::Call(_)) => {}
                // Nothing that asking again would change.
                Ok(_) | Err(_) => return None,
            }
            if Instant::now() >= until {
                return None;
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    async fn ask_again(
        &self,
        place: &Place<'_>,
        visit: &Visit<'_>,
    ) -> Result<Response<Bytes>, Failure> {
        let path = path::clear(place.uri.path())?;
        let found = self.routes.find(path).ok_or(Failure::NoRoute)?;
        let Target::Component(target) = &found.value.target else {
            return Err(Failure::NoRoute);
        };
        if place.visitor.is_none() && !self.is_public(&http::Method::GET, path) {
            return Err(Failure::NoToken);
        }
        let (mut head, ()) = Request::new(()).into_parts();
        head.uri = place.uri.clone();
        head.headers
            .extend(place.accept.clone().map(|accept| (header::ACCEPT, accept)));
        head.headers
            .extend(visit.host.clone().map(|host| (header::HOST, host)));
        forward::dress(&mut head, &found, &visit.sender(place.visitor))?;
        let id: ComponentId = target.id.clone();
        self.call(
            id,
            Request::from_parts(head, Bytes::new()),
            visit.context(place.visitor, None),
        )
        .await
    }
}

fn is_done(answer: &Response<Bytes>) -> bool {
    answer.status() == StatusCode::OK && !answer.headers().contains_key(header::RETRY_AFTER)
}

/// The location as a path of this gateway; nothing where it is elsewhere.
fn local(location: &HeaderValue, visit: &Visit<'_>) -> Option<Uri> {
    let uri: Uri = location.to_str().ok()?.parse().ok()?;
    let host = visit.host.as_ref().map(HeaderValue::as_bytes);
    let is_here = uri
        .authority()
        .is_none_or(|authority| Some(authority.as_str().as_bytes()) == host);
    let path = uri.path_and_query().filter(|_| is_here)?;
    Some(Uri::from(path.clone()))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use std::time::Duration;

    use super::{PREFER, Wait, Waiting};

    fn seconds(preferences: &[&str]) -> Option<u64> {
        let headers = preferences
            .iter()
            .map(|text| (PREFER, text.parse().unwrap()));
        Wait::wanted(&HeaderMap::from_iter(headers)).map(|wait| wait.time.as_secs())
    }

    #[test]
    fn a_crowd_asks_less_often() {
        let waiting = Waiting::default();
        let crowd: Vec<_> = (0..500).map(|_| waiting.enter()).collect();
        assert_eq!(waiting.share(), Duration::from_millis(500));
        drop(crowd);
        assert_eq!(waiting.share(), Duration::ZERO);
    }

    #[test]
    fn a_wait_is_found_among_other_preferences_and_has_an_end() {
        assert_eq!(seconds(&["respond-async, wait=10"]), Some(10));
        assert_eq!(
            seconds(&["return=minimal", "Wait = \"7\"; foo=bar"]),
            Some(7)
        );
        assert_eq!(seconds(&["wait=3, wait=9"]), Some(3));
        assert_eq!(seconds(&["wait=86400"]), Some(30));
        for none in [
            "wait",
            "wait=",
            "wait=-1",
            "wait=soon",
            "wait=0",
            "respond-async",
            "waiting=3",
        ] {
            assert_eq!(seconds(&[none]), None, "{none}");
        }
    }
}
