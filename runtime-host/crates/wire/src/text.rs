//! Any text as visible ASCII, which is all that headers take: other bytes and `%` as `%` and two digits.

/// The text in that form. The space stays, as gRPC has it.
pub(crate) fn escape(text: &str) -> String {
    escape_but(text, |byte| (b' '..=b'~').contains(&byte) && byte != b'%')
}

/// The text in that form and without spaces, so that several can stand in one line.
pub(crate) fn escape_word(text: &str) -> String {
    escape_but(text, |byte| byte.is_ascii_graphic() && byte != b'%')
}

fn escape_but(text: &str, stays: impl Fn(u8) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stays(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The text that was put into that form. What is not of it is left as it is, as gRPC asks.
pub(crate) fn unescape(mut rest: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let digits = (first == b'%').then(|| after.split_at_checked(2)).flatten();
        let byte = digits.and_then(|(digits, after)| Some((byte(digits)?, after)));
        match byte {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn byte(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    are_digits
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{escape, escape_word, unescape};

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            for escaped in [escape(&text), escape_word(&text)] {
                prop_assert!(escaped.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                prop_assert_eq!(unescape(escaped.as_bytes()), text.clone());
            }
        }
    }

    #[test]
    fn what_is_not_escaped_well_is_left_as_it_is() {
        assert_eq!(unescape(b"100% of %4x and %+1 %"), "100% of %4x and %+1 %");
    }
}
