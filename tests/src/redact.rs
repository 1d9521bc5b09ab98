//! Takes out of texts what differs from run to run, so that the rest can be a snapshot.

use serde_json::Value;

use crate::places;

/// A problem as it was answered, a member a line, without its trace.
pub fn problem(body: &Value) -> String {
    let mut body = body.clone();
    if let Some(trace) = body.get_mut("trace_id") {
        *trace = Value::from("[trace]");
    }
    serde_json::to_string_pretty(&body).unwrap_or_default()
}

/// A message of the command line without the folders of this machine. `root` is the manifest's.
pub fn message(text: &str, root: &std::path::Path) -> String {
    let workspace = places::workspace();
    let text = text.replace(&*root.to_string_lossy(), "[root]");
    let text = text.replace(&*workspace.to_string_lossy(), "[workspace]");
    text.trim_end().to_owned()
}
