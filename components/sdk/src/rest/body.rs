//! Bodies: JSON into a type that cannot be wrong, or a problem that names the place.

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::Problem;

/// Reads a JSON body. Text that is no JSON is 400; JSON of the wrong shape is 422 with a pointer to the place.
/// Mark request types `#[serde(deny_unknown_fields)]`: what we would ignore the caller meant.
pub fn parse_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // serde would take an array for an object whose fields it knows; no caller means that.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(shape("", "expected an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let (path, error) = (pointer(error.path()), error.into_inner());
        problem(path, &error)
    })?;
    deserializer
        .end()
        .map_err(|error| problem(String::new(), &error))?;
    Ok(value)
}

fn problem(mut pointer: String, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(400, "malformed-json", "Malformed JSON", text)
        }
        Category::Data => {
            let text = match text.rfind(" at line ") {
                Some(end) => text.get(..end).unwrap_or(&text),
                None => &text,
            };
            if let Some(field) = named_field(text) {
                let last = format!("/{}", escape(field));
                if !pointer.ends_with(&last) {
                    pointer.push_str(&last);
                }
            }
            shape(&pointer, text)
        }
    }
}

fn shape(pointer: &str, detail: &str) -> Problem {
    Problem::unprocessable("the body has the wrong shape").with_error(pointer, detail)
}

/// The field that serde names in words when the path ends above it.
fn named_field(text: &str) -> Option<&str> {
    ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| text.strip_prefix(start))?
        .split('`')
        .next()
}

fn pointer(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            // A variant is not a place in the text, and of the unknown nothing can be said.
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
