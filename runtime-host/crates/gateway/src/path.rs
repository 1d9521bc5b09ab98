//! Refuses paths that the gateway and whoever reads them next could understand differently.
//!
//! `/public/../secret` is below `/public/...` here, and is `/secret` to a component that tidies its paths.

use crate::failure::Failure;

/// The path, unless it does not begin with a slash or a segment of it is `.` or `..`, however they are written.
pub(crate) fn clear(path: &str) -> Result<&str, Failure> {
    if !path.starts_with('/') {
        return Err(Failure::UnclearPath);
    }
    // Nearly every path ends here: it has no segment that begins like a dot.
    let suspicious = path.contains("/.") || path.contains("/%2") || path.contains('\\');
    if suspicious && path.split(['/', '\\']).any(is_dots) {
        return Err(Failure::UnclearPath);
    }
    Ok(path)
}

fn is_dots(segment: &str) -> bool {
    let mut rest = segment;
    let mut dots = 0;
    while let Some(after) = rest.strip_prefix('.').or_else(|| escaped_dot(rest)) {
        rest = after;
        dots += 1;
    }
    rest.is_empty() && (1..=2).contains(&dots)
}

fn escaped_dot(text: &str) -> Option<&str> {
    text.strip_prefix("%2e")
        .or_else(|| text.strip_prefix("%2E"))
}

#[cfg(test)]
mod tests {
    use super::clear;

    #[test]
    fn dots_as_segments_are_refused_however_they_are_written() {
        for unclear in [
            "/a/../b",
            "/a/./b",
            "/..",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/a/%2e",
            "/a\\..\\b",
            "*",
            "",
        ] {
            assert!(clear(unclear).is_err(), "{unclear}");
        }
        for fine in [
            "/",
            "/a/b.c",
            "/.well-known/jwks.json",
            "/a/.../b",
            "/a/%20",
            "/a/..b",
            "/%2f",
        ] {
            assert!(clear(fine).is_ok(), "{fine}");
        }
    }
}
