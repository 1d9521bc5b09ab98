//! The road of all calls, with sagas on it: a call of a saga begins a run, and every other call goes on to the mesh.

use std::sync::Arc;

use skald_core::{
    call::{Call, CallError, DynCall, Input, Reply, Request},
    saga::{Cause, End, view},
};
use tokio::time::{Instant, timeout_at};

use crate::{Sagas, Start, VerbError};

/// The way of all calls of an application with sagas.
pub struct Road {
    sagas: Sagas,
    inner: Arc<dyn DynCall>,
}

// === impl Road ===

impl Road {
    /// Calls of sagas go to the coordinator, others to `inner`.
    pub fn new(sagas: Sagas, inner: Arc<dyn DynCall>) -> Self {
        Self { sagas, inner }
    }

    /// A message is handled once its run has begun; a function is answered by its run's end.
    async fn begin(&self, request: &Request) -> Result<Reply, CallError> {
        let Some(start) = Start::of(request) else {
            return Err(CallError::NoSuchExport {
                component: request.target.clone(),
                export: "wasi:http/handler: a saga is begun by an event or a typed call".to_owned(),
            });
        };
        let begun = self.sagas.start(start).await?;
        if matches!(request.input, Input::Message(_)) {
            return Ok(Reply::Handled);
        }
        let end = self.sagas.end_of(begun.run());
        let end = match request.context.deadline {
            None => end.await,
            Some(deadline) => {
                let now = Instant::now();
                let ended = timeout_at(Instant::from_std(deadline), end).await;
                ended.map_err(|_| CallError::TimedOut(now.elapsed()))?
            }
        };
        answer(end)
    }
}

impl Call for Road {
    async fn call(&self, request: &Request) -> Result<Reply, CallError> {
        self.send(request.clone()).await
    }

    async fn send(&self, request: Request) -> Result<Reply, CallError> {
        if self.sagas.is_saga(&request.target) {
            return Box::pin(self.begin(&request)).await;
        }
        self.inner.call_boxed(request).await
    }
}

fn answer(end: Result<End, VerbError>) -> Result<Reply, CallError> {
    match end {
        Ok(End::Completed { answer }) => Ok(Reply::Value(answer)),
        Ok(End::RolledBack {
            cause:
                Cause::Refused {
                    answer: Some(answer),
                    ..
                },
            ..
        }) => Ok(Reply::Value(Some(answer))),
        Ok(end) => Err(CallError::HandlerFailed(view::ended(&end))),
        Err(VerbError::Store(error)) => Err(CallError::Store(error)),
        Err(_) => Err(CallError::ShuttingDown),
    }
}
