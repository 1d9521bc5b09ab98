//! A call as it is sent, to whichever node, and what its answers mean.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message as _;
use skald_core::{
    call::{CallError, Function, Input, Reply, Request},
    value::Value,
};
use tokio::time::Instant;

use crate::{
    codec,
    config::{Config, Security},
    contract::{Contracts, Method},
    envelope::{self, CallReply, CallRequest},
    metadata,
    server::{COMPONENT, CONTRACT, TOKEN},
    status::{FromPeer, Status},
};

/// A call as it is sent.
pub(super) struct Letter<'a> {
    pub(super) request: &'a Request,
    pub(super) path: String,
    pub(super) message: Vec<u8>,
    /// Those that are the same each time it is sent.
    headers: HeaderMap,
    /// None where it is no function.
    method: Option<Arc<Method>>,
}

// === impl Letter ===

impl<'a> Letter<'a> {
    pub(super) fn write(
        request: &'a Request,
        contracts: &Contracts,
        config: &Config,
    ) -> Result<Self, CallError> {
        let letter = match &request.input {
            Input::Function(function) => Self::of_function(request, function, contracts)?,
            input => {
                let message = CallRequest::of(&request.target, input);
                Self {
                    request,
                    path: envelope::PATH.to_owned(),
                    message: message.map(|m| m.encode_to_vec()).unwrap_or_default(),
                    headers: HeaderMap::new(),
                    method: None,
                }
            }
        };
        letter.sealed(config)
    }

    fn of_function(
        request: &'a Request,
        function: &Function,
        contracts: &Contracts,
    ) -> Result<Self, CallError> {
        let method = contracts.function(&function.interface, &function.name);
        let method = method.filter(|method| method.providers.contains_key(&request.target));
        let method = method.ok_or_else(|| CallError::NoSuchExport {
            component: request.target.clone(),
            export: format!("{}#{}", function.interface, function.name),
        })?;
        let message = codec::encode_arguments(&method.request, &function.arguments);
        let mut headers = HeaderMap::new();
        put(&mut headers, COMPONENT, request.target.as_str());
        put(&mut headers, CONTRACT, &method.digest);
        Ok(Self {
            request,
            path: method.path.clone(),
            message: message.map_err(|invalid| CallError::Engine(invalid.to_string()))?,
            headers,
            method: Some(Arc::clone(method)),
        })
    }

    fn sealed(mut self, config: &Config) -> Result<Self, CallError> {
        let (length, most) = (self.message.len(), config.limits.message_bytes);
        if length > most {
            let what = format!("the message has {length} bytes; {most} are the most");
            return Err(CallError::OverLimit(what));
        }
        if let Security::Token(token) = &config.security {
            put(&mut self.headers, TOKEN, token.text());
        }
        Ok(self)
    }

    /// All headers, with the time that is left now.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        let now = Instant::now().into_std();
        metadata::write(&self.request.context, now, &mut headers);
        headers
    }

    /// What a node has answered.
    pub(super) fn reply(&self, node: &str, message: &Bytes) -> Result<Reply, CallError> {
        let not_understood = |what: String| {
            CallError::Engine(format!(
                "the answer of node {node} is not understood: {what}"
            ))
        };
        let Some(method) = &self.method else {
            let reply = CallReply::decode(message.clone());
            let reply = reply.map_err(|error| not_understood(error.to_string()))?;
            return reply.read().map_err(not_understood);
        };
        let value = codec::decode(&method.response, message);
        let value = value.map_err(|invalid| not_understood(invalid.to_string()))?;
        Ok(Reply::Value(match value {
            // A message without fields is the answer of a function that returns nothing.
            Value::Tuple(parts) if parts.is_empty() => None,
            value => Some(value),
        }))
    }

    /// Why a node has not answered otherwise.
    pub(super) fn error(&self, node: &str, status: &Status) -> CallError {
        let from = FromPeer {
            node,
            component: &self.request.target,
            status: status.clone(),
        };
        from.error()
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Names of components, digests and tokens are visible ASCII.
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
