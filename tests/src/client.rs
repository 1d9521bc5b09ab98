//! Somebody who sends requests, on connections that are kept.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde_json::Value;
use tokio::time::timeout;

/// How long any answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends requests to one host, with or without a token.
#[derive(Clone, Debug)]
pub struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
    token: Option<Arc<str>>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// What was asked, for messages.
    asked: String,
}

// === impl Client ===

impl Client {
    /// Somebody nobody knows yet.
    pub fn new(address: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(5))
            .build(connector);
        Self {
            pool,
            address,
            token: None,
        }
    }

    /// The same, known by a token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(Arc::from(token)),
            ..self.clone()
        }
    }

    /// The token that is sent.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same person, at another host.
    #[must_use]
    pub fn at(&self, other: &Self) -> Self {
        Self {
            token: self.token.clone(),
            ..other.clone()
        }
    }

    /// Reads something.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.ask(Method::GET, path, &[], Bytes::new()).await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.ask(Method::POST, path, &[], Bytes::from(body.to_string()))
            .await
    }

    /// Puts JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.ask(Method::PUT, path, &[], Bytes::from(body.to_string()))
            .await
    }

    /// Deletes something.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.ask(Method::DELETE, path, &[], Bytes::new()).await
    }

    /// Sends anything.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer> {
        let asked = format!("{method} {path}");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(body))
            .with_context(|| asked.clone())?;
        let answered = timeout(PATIENCE, async {
            let (head, body) = self.pool.request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, anyhow::Error>((head, body))
        });
        let answered = answered
            .await
            .with_context(|| format!("{asked}: no answer after {PATIENCE:?}"))?;
        let (head, body) = answered.with_context(|| asked.clone())?;
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            asked,
        })
    }
}

// === impl Answer ===

impl Answer {
    /// This answer, if it has that status.
    pub fn is(self, status: u16) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        bail!(
            "{} answered {}, not {status}: {}",
            self.asked,
            self.status,
            self.text()
        )
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{} answered no JSON: {}", self.asked, self.text()))
    }
}
