//! One delivery of one event: the call that is made for it, and how it ended.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use skald_core::{
    call::{CallError, DynCall, Input, Reply, Request},
    context::{Cause, Context, InboxMark, Once},
    event::Event,
    manifest::ComponentId,
};
use skald_telemetry::ids;
use tracing::Instrument;

use crate::schedule::Tries;

/// An attempt that has ended.
#[derive(Debug)]
pub(crate) struct Landed {
    pub(crate) event: Event,
    /// Before this attempt.
    pub(crate) before: Tries,
    pub(crate) outcome: Result<(), CallError>,
}

/// Makes one attempt. It always lands, also when the call panics.
pub(crate) async fn fly(
    calls: Arc<dyn DynCall>,
    mark: InboxMark,
    event: Event,
    before: Tries,
) -> Landed {
    let group = Arc::clone(&mark.book.group);
    let request = request(mark, &event);
    let span = tracing::info_span!(
        "events.deliver",
        %group,
        sequence = event.sequence,
        topic = %event.topic,
        key = %event.key,
        attempt = before.attempts.saturating_add(1),
        trace = %request.context.trace,
    );
    let call = AssertUnwindSafe(calls.call_boxed(request))
        .catch_unwind()
        .instrument(span)
        .await;
    let outcome = match call {
        Ok(Ok(Reply::Handled)) => Ok(()),
        Ok(Ok(Reply::Http(_) | Reply::Value(_))) => Err(CallError::Engine(
            "a message was answered with something else".to_owned(),
        )),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(CallError::Engine("the call panicked".to_owned())),
    };
    Landed {
        event,
        before,
        outcome,
    }
}

fn request(mark: InboxMark, event: &Event) -> Request {
    Request {
        target: ComponentId::from(&*mark.book.group),
        input: Input::Message(event.payload.clone()),
        context: Context {
            once: Some(Once::Inbox(mark)),
            ..Context::root(
                event.trace.child(ids::span_id()),
                Cause::Event(event.sequence),
            )
        },
    }
}
