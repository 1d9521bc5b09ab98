use std::{
    fmt::Write,
    sync::{Arc, Mutex},
};

use skald_core::call::{Call, CallError, Reply, Request};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    instrument::WithSubscriber,
    span::{Attributes, Id, Record},
};

use super::WithSpan;
use crate::world::{Asked, answer, function, post, step, trapped};

/// Writes down spans and events, except for what takes time.
#[derive(Clone, Default)]
struct Scribe(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() != "micros" {
            write!(self.0, " {}={value:?}", field.name()).unwrap();
        }
    }
}

impl Subscriber for Scribe {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("skald_mesh")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut page = self.0.lock().unwrap();
        page.push_str(span.metadata().name());
        span.record(&mut Line(&mut page));
        page.push('\n');
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut page = self.0.lock().unwrap();
        page.push_str("  ");
        event.record(&mut Line(&mut page));
        page.push('\n');
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

async fn said(request: Request, reply: fn() -> Result<Reply, CallError>) -> String {
    let scribe = Scribe::default();
    let span = WithSpan::new(Asked::new(move |_| async move { reply() }));
    let _ = span.call(&request).with_subscriber(scribe.clone()).await;
    let page = scribe.0.lock().unwrap();
    page.clone()
}

#[tokio::test]
async fn a_call_says_what_was_asked_and_how_it_ended() {
    let text = said(function(), || Err(trapped())).await;
    insta::assert_snapshot!(text, @r#"
    mesh.call component=stock asked=shop:stock/api@1.0.0#take cause=component orders trace_id=00000000000000000000000000000007 span_id=0000000000000008
       message=failed code="CALL-006" blame=Component error=the component trapped: oops
    "#);
}

#[tokio::test]
async fn a_step_says_which_run_it_is_of() {
    let text = said(step("s1"), || Ok(Reply::Value(None))).await;
    insta::assert_snapshot!(text, @"
    mesh.call component=stock asked=shop:stock/api@1.0.0#take cause=saga run_1 trace_id=00000000000000000000000000000007 span_id=0000000000000008
       message=answered refused=false
    ");
}

#[tokio::test]
async fn the_query_of_a_request_is_not_logged() {
    let text = said(post(), || Ok(answer(201, b"made"))).await;
    insta::assert_snapshot!(text, @"
    mesh.call component=stock asked=POST /stock cause=request trace_id=00000000000000000000000000000007 span_id=0000000000000008
       message=answered status=201
    ");
}
