//! Bodies: JSON into a type that cannot be wrong, or a problem that names the place.

mod strict;

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use self::strict::Strict;
use super::Problem;

/// Reads a JSON body. Text that is no JSON is 400; JSON of the wrong shape is 422 with a pointer to the place.
/// Mark request types `#[serde(deny_unknown_fields)]`: what we would ignore the caller meant.
pub fn parse_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Strict(&mut deserializer)).map_err(|error| {
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
            Problem::unprocessable("the body has the wrong shape")
                .with_error(&pointer, in_words_of_json(text))
        }
    }
}

/// serde names types as Rust does; clients know JSON.
fn in_words_of_json(text: &str) -> String {
    // What the client sent comes before the last "expected", so it cannot be mistaken for our words.
    let Some((found, expected)) = text.rsplit_once(", expected ") else {
        return text.to_owned();
    };
    let expected = match expected {
        "u8" => whole(u8::MAX),
        "u16" => whole(u16::MAX),
        "u32" => whole(u32::MAX),
        "u64" => whole(u64::MAX),
        "usize" => whole(usize::MAX),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a map" => "an object".to_owned(),
        other if other.starts_with("struct ") => "an object".to_owned(),
        other => other.to_owned(),
    };
    let found = match found {
        "invalid type: sequence" => "invalid type: array".to_owned(),
        "invalid type: map" => "invalid type: object".to_owned(),
        other => match other.split_once(": floating point ") {
            Some((kind, number)) => format!("{kind}: number {number}"),
            None => other.to_owned(),
        },
    };
    format!("{found}, expected {expected}")
}

fn whole(largest: impl std::fmt::Display) -> String {
    format!("a whole number from 0 to {largest}")
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
