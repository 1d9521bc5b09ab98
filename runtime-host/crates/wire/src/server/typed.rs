//! Functions of contracts, each as a method of its own.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use http_body::Body;
use sha2::{Digest, Sha256};
use skald_core::{
    call::{CallError, Function, Input, Reply, Request},
    context::Context,
    hex,
    manifest::ComponentId,
    value::Value,
};
use skald_telemetry::ids;
use tokio::time::Instant;

use super::{Desk, Line, caller::Standing, malformed, not_allowed};
use crate::{
    codec,
    contract::{self, Method, service_of},
    frame::Frames,
    metadata::{self, Sent},
    status::{Code, Status},
};

/// Which component is meant, where several export the function.
pub(crate) const COMPONENT: HeaderName = HeaderName::from_static("skald-component");

/// What a node knows of the function, as a digest.
pub(crate) const CONTRACT: HeaderName = HeaderName::from_static("skald-contract");

impl Desk {
    pub(super) async fn function<B>(
        &self,
        path: &str,
        headers: &HeaderMap,
        frames: Frames<B>,
        line: &Line<'_>,
    ) -> Result<Vec<u8>, Status>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let standing = line.caller.standing(&self.config, headers);
        let service = service_of(path).unwrap_or_default();
        if standing == Standing::Outsider && !self.config.outside.may_call(service) {
            let what = format!("{service} is not open to callers that are no nodes");
            return Err(not_allowed(&what));
        }
        let method = self.contracts.method(path);
        let method = method.ok_or_else(|| {
            Status::new(Code::Unimplemented, format!("no component here has {path}"))
        })?;
        let (component, function) = provider(method, headers)?;
        agree(method, component, headers)?;
        let message = frames.only().await?;
        let context = match standing {
            Standing::Node => Self::context_of_node(headers)?,
            Standing::Friend | Standing::Outsider => {
                Self::context_from_outside(path, headers, &message, line)?
            }
        };
        let arguments = codec::decode(&method.request, &message);
        let arguments = match arguments.map_err(|invalid| Status::from(&invalid))? {
            Value::Tuple(arguments) => arguments,
            other => return Err(malformed(format!("{other} is no list of arguments"))),
        };
        let request = Request {
            target: component.clone(),
            input: Input::Function(Function {
                interface: Arc::clone(&function.interface),
                name: Arc::clone(&function.name),
                arguments,
            }),
            context,
        };
        let reply = self.calls.call_boxed(request).await;
        let reply = reply.map_err(|error| Status::from(&error))?;
        self.fits(encoded(method, &reply)?)
    }

    fn context_from_outside(
        path: &str,
        headers: &HeaderMap,
        message: &[u8],
        line: &Line<'_>,
    ) -> Result<Context, Status> {
        let sent = Sent {
            caller: &line.caller.digest,
            path,
            digest: &|| hex::digits(&Sha256::digest(message)),
        };
        let now = Instant::now().into_std();
        metadata::read_outside(headers, now, ids::new_trace, &sent).map_err(malformed)
    }
}

/// Who is meant: the one that is named, or the only one there is.
fn provider<'m>(
    method: &'m Method,
    headers: &HeaderMap,
) -> Result<(&'m ComponentId, &'m contract::Function), Status> {
    let mut providers = method.providers.iter();
    if let Some(named) = headers.get(COMPONENT) {
        let named = ComponentId::from(named.to_str().unwrap_or_default());
        let found = providers.find(|(component, _)| **component == named);
        return found.ok_or_else(|| {
            Status::from(&CallError::NoSuchExport {
                component: named,
                export: method.path.clone(),
            })
        });
    }
    match (providers.next(), providers.next()) {
        (Some(only), None) => Ok(only),
        _ => {
            let names: Vec<_> = method.providers.keys().map(ComponentId::as_str).collect();
            let names = names.join(", ");
            Err(malformed(format!(
                "several components have this: {names}; name one with `{COMPONENT}`"
            )))
        }
    }
}

/// A node that knows the function otherwise would have its arguments misread.
fn agree(method: &Method, component: &ComponentId, headers: &HeaderMap) -> Result<(), Status> {
    match headers.get(CONTRACT) {
        Some(known) if known.as_bytes() != method.digest.as_bytes() => {
            Err(Status::other_contract(component, &method.path))
        }
        Some(_) | None => Ok(()),
    }
}

fn encoded(method: &Method, reply: &Reply) -> Result<Vec<u8>, Status> {
    let encoded = match reply {
        Reply::Value(Some(value)) => codec::encode(&method.response, value),
        Reply::Value(None) => codec::encode_arguments(&method.response, &[]),
        Reply::Http(_) | Reply::Handled => {
            return Err(Status::new(Code::Internal, "the answer is of another kind"));
        }
    };
    // The engine checks types, so that this is the host's own mistake.
    encoded.map_err(|invalid| Status::from(&CallError::Engine(invalid.to_string())))
}
