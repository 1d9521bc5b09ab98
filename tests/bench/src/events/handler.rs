//! The handler: a unit of work that writes one key, with no component around it; and who looks at a handler from outside.

use std::sync::Arc;

use bytes::Bytes;
use skald_core::{
    call::{BoxFuture, Call, CallError, DynCall, Input, Reply, Request},
    context::Once,
    store::{CommitError, Store},
};
use skald_telemetry::clock;

use super::message;

/// Told of each message that was handled, once its commit is answered. Of one that was handled before, too.
pub(super) type Seen = Arc<dyn Fn(&Bytes) + Send + Sync>;

/// Writes one key, and the mark of its event with it.
pub(super) struct Handler(pub(super) Arc<dyn Store>);

/// A handler, looked at.
pub(super) struct Watched {
    pub(super) inner: Arc<dyn DynCall>,
    pub(super) seen: Seen,
}

// === impl Handler ===

impl Call for Handler {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        let (Input::Message(payload), Some(Once::Inbox(mark))) =
            (&request.input, &request.context.once)
        else {
            return Err(CallError::Engine("that is no delivery".to_owned()));
        };
        let mut change = message::writing(payload);
        change.inbox = Some(mark.clone());
        match self.0.commit(change, clock::now()).await {
            Ok(()) | Err(CommitError::AlreadyHandled(_)) => Ok(Reply::Handled),
            Err(CommitError::Conflict(_)) => Err(CallError::Conflict { attempts: 1 }),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}

// === impl Watched ===

impl DynCall for Watched {
    fn call_boxed(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            let Input::Message(payload) = request.input.clone() else {
                return Err(CallError::Engine("that is no delivery".to_owned()));
            };
            let reply = self.inner.call_boxed(request).await?;
            (self.seen)(&payload);
            Ok(reply)
        })
    }
}
