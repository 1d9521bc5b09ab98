//! Bytes in hexadecimal digits, as digests and keys are written.

use std::fmt::Write as _;

/// Two digits for each byte, in lower case.
pub fn digits(bytes: &[u8]) -> String {
    let text = String::with_capacity(bytes.len() * 2);
    bytes.iter().fold(text, |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
