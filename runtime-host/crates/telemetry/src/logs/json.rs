//! One JSON object a line: the event's own fields flat, and those of its spans, so that `trace_id` is always there.

use std::{error::Error, fmt, io::Write, time::SystemTime};

use serde_json::Value;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    fmt::MakeWriter,
    layer::Context,
    registry::{LookupSpan, Scope},
};

/// Names that every line has; a field of such a name is written with an underscore after it.
const RESERVED: [&str; 3] = ["time", "level", "target"];

/// Writes each event as one JSON object on a line of its own.
pub(super) struct JsonLines<W> {
    writer: W,
    now: fn() -> SystemTime,
}

/// Fields in the order they were recorded. A span keeps its own among its extensions.
#[derive(Debug, Default)]
struct Fields(Vec<(&'static str, Value)>);

// === impl JsonLines ===

impl<W> JsonLines<W> {
    pub(super) const fn new(writer: W, now: fn() -> SystemTime) -> Self {
        Self { writer, now }
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(scope) = context.event_scope(event) {
            fields.inherit(scope);
        }
        let metadata = event.metadata();
        // Lines of the `log` crate carry their origin in fields of its bridge.
        let target = fields
            .take("log.target")
            .unwrap_or_else(|| metadata.target().into());
        fields.0.retain(|(name, _)| !name.starts_with("log."));
        let head = [
            ("time", crate::clock::rfc3339((self.now)()).into()),
            ("level", metadata.level().as_str().to_lowercase().into()),
            (
                "message",
                fields
                    .take("message")
                    .unwrap_or_else(|| metadata.name().into()),
            ),
            ("target", target),
        ];
        let line = line(head.iter().chain(&fields.0));
        // Where not even a log line can be written, nobody is left to be told.
        let _ = self
            .writer
            .make_writer_for(metadata)
            .write_all(line.as_bytes());
    }
}

// === impl Fields ===

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        match self.0.iter_mut().find(|(name, _)| *name == field.name()) {
            Some((_, old)) => *old = value,
            None => self.0.push((field.name(), value)),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.0.iter().position(|(other, _)| *other == name)?;
        Some(self.0.remove(index).1)
    }

    /// Takes over what the spans around an event say; the innermost that names a field wins.
    fn inherit<'a, S: LookupSpan<'a>>(&mut self, spans: Scope<'a, S>) {
        for span in spans {
            let extensions = span.extensions();
            for (name, value) in extensions
                .get::<Self>()
                .into_iter()
                .flat_map(|fields| &fields.0)
            {
                self.set_default(name, value);
            }
        }
    }

    fn set_default(&mut self, name: &'static str, value: &Value) {
        if self.0.iter().all(|(other, _)| *other != name) {
            self.0.push((name, value.clone()));
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field, skald_core::call::chain(value).into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}").into());
    }
}

/// Serialises in the order given: people read these lines too, and time comes first.
fn line<'a>(fields: impl Iterator<Item = &'a (&'static str, Value)>) -> String {
    let mut line = String::with_capacity(256);
    for (index, (name, value)) in fields.enumerate() {
        line.push(if index == 0 { '{' } else { ',' });
        // The first fields are ours; after them a reserved name is somebody's own.
        let escape = if index >= 4 && RESERVED.contains(name) {
            "_"
        } else {
            ""
        };
        line.push_str(&Value::from(format!("{name}{escape}")).to_string());
        line.push(':');
        line.push_str(&value.to_string());
    }
    line.push_str("}\n");
    line
}

#[cfg(test)]
mod tests;
