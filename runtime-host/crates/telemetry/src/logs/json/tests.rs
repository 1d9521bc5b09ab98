use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use thiserror::Error;
use tracing::subscriber::with_default;
use tracing_subscriber::{layer::SubscriberExt, registry};

use super::JsonLines;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_767_268_800_007)
}

fn lines(say: impl FnOnce()) -> String {
    let page = Page::default();
    let writer = page.clone();
    with_default(
        registry().with(JsonLines::new(move || writer.clone(), noon)),
        say,
    );
    String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
}

#[derive(Debug, Error)]
#[error("the commit failed")]
struct Outer(#[source] io::Error);

#[test]
fn a_line_has_its_fields_flat_and_the_ids_of_the_innermost_span() {
    let text = lines(|| {
        let outer = tracing::info_span!(
            "request",
            trace_id = "4bf9",
            span_id = "0001",
            path = "/orders"
        );
        let _outer = outer.enter();
        let inner = tracing::info_span!("mesh.call", span_id = "0002", component = "orders");
        let _inner = inner.enter();
        tracing::warn!(attempt = 2, ratio = 0.5, slow = true, "again \"soon\"");
    });
    insta::assert_snapshot!(text, @r#"{"time":"2026-01-01T12:00:00.007Z","level":"warn","message":"again \"soon\"","target":"skald_telemetry::logs::json::tests","attempt":2,"ratio":0.5,"slow":true,"span_id":"0002","component":"orders","trace_id":"4bf9","path":"/orders"}"#);
}

#[test]
fn an_error_is_written_with_its_causes() {
    let text = lines(|| {
        let error = Outer(io::Error::other("the disk is full"));
        tracing::error!(error = &error as &dyn std::error::Error, "not saved");
    });
    insta::assert_snapshot!(text, @r#"{"time":"2026-01-01T12:00:00.007Z","level":"error","message":"not saved","target":"skald_telemetry::logs::json::tests","error":"the commit failed: the disk is full"}"#);
}

#[test]
fn fields_recorded_later_count_and_reserved_names_are_marked() {
    let text = lines(|| {
        let span = tracing::info_span!("call", code = tracing::field::Empty);
        span.record("code", "CALL-005");
        span.in_scope(|| tracing::info!(level = 3, "ended"));
    });
    insta::assert_snapshot!(text, @r#"{"time":"2026-01-01T12:00:00.007Z","level":"info","message":"ended","target":"skald_telemetry::logs::json::tests","level_":3,"code":"CALL-005"}"#);
}
