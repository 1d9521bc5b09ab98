//! Between values and bytes, by what a contract says of them.
//!
//! It goes straight from one to the other: a message of a general kind in between would hold everything twice and know
//! nothing of WIT. Every value of a type has a form in bytes and comes back as it was, to the bits of a NaN; bytes that
//! are no value of the type are told so with the path to the field.

mod decode;
mod encode;
mod raw;
#[cfg(test)]
mod tests;

use std::fmt;

use skald_core::value::Value;

use crate::contract::shape::Message;

/// Why bytes are no value of a type, or a value not of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// From the outermost message: `lines[2].quantity`; empty for that message itself.
    pub(crate) path: String,
    /// What is wrong there, after the path: `is missing`.
    pub(crate) what: String,
}

/// The bytes of a value.
pub(crate) fn encode(message: &Message, value: &Value) -> Result<Vec<u8>, Invalid> {
    let mut bytes = Vec::new();
    encode::message(&mut bytes, message, value)?;
    Ok(bytes)
}

/// The bytes of a function's arguments.
pub(crate) fn encode_arguments(message: &Message, values: &[Value]) -> Result<Vec<u8>, Invalid> {
    let mut bytes = Vec::new();
    encode::fields(&mut bytes, message.fields(), values.iter())?;
    Ok(bytes)
}

/// The value in these bytes.
pub(crate) fn decode(message: &Message, bytes: &[u8]) -> Result<Value, Invalid> {
    decode::Decoder::new(decode::MOST_VALUES).message(message, bytes)
}

// === impl Invalid ===

impl Invalid {
    fn new(what: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            what: what.into(),
        }
    }

    /// The same, seen from the message around it.
    fn within(mut self, field: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{field}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.path {
            "" => write!(f, "the message {}", self.what),
            path => write!(f, "`{path}` {}", self.what),
        }
    }
}
