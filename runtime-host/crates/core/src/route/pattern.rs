//! One route: its text, its parts, and what a path matched by it says.

use std::fmt;

/// A route, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// As it was written, with a slash in front and none at the end.
    route: String,
    segments: Vec<Segment>,
    wildcard: bool,
}

/// What stands between two slashes of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Param(String),
}

/// A path together with the route it belongs to.
#[derive(Debug)]
pub struct Match<'r, 'p, T> {
    /// What the route leads to.
    pub value: &'r T,
    /// The route.
    pub pattern: &'r Pattern,
    path: &'p str,
}

/// Paths below these belong to the host.
const RESERVED: [[&str; 2]; 2] = [[".well-known", "spin"], [".well-known", "skald"]];

// === impl Pattern ===

impl Pattern {
    /// Reads a route; the error says what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(odd) = text
            .chars()
            .find(|c| matches!(c, '?' | '#') || c.is_whitespace() || c.is_control())
        {
            return Err(format!(
                "the route `{text}` has `{}` in it; a route is only a path",
                odd.escape_default()
            ));
        }
        let trimmed = text.trim_matches('/');
        let (fixed, wildcard) = match trimmed
            .strip_suffix("...")
            .or_else(|| trimmed.strip_suffix('*'))
        {
            Some(fixed) if fixed.is_empty() || fixed.ends_with('/') => (fixed, true),
            Some(fixed) => {
                return Err(format!(
                    "the route `{text}` has a wildcard without a slash; write `/{fixed}/...`"
                ));
            }
            None => (trimmed, false),
        };
        let segments = segments(fixed).map_err(|why| format!("the route `{text}` {why}"))?;
        let mut route = format!("/{}", fixed.trim_end_matches('/'));
        if wildcard {
            route.push_str(if route.ends_with('/') { "..." } else { "/..." });
        }
        Ok(Self {
            route,
            segments,
            wildcard,
        })
    }

    /// The route of everything.
    pub fn everything() -> Self {
        Self {
            route: "/...".to_owned(),
            segments: Vec::new(),
            wildcard: true,
        }
    }

    /// The route as text, for `spin-matched-route` and `spin-raw-component-route`.
    pub fn as_str(&self) -> &str {
        &self.route
    }

    /// The route without its wildcard, for `spin-component-route`; empty for `/...`, as in Spin.
    pub fn prefix(&self) -> &str {
        self.route.strip_suffix("/...").unwrap_or(&self.route)
    }

    /// Whether it ends in `...`.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard
    }

    /// Whether exactly the same paths match both.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let alike = |(a, b): (&Segment, &Segment)| match (a, b) {
            (Segment::Literal(a), Segment::Literal(b)) => a == b,
            (Segment::Param(_), Segment::Param(_)) => true,
            (Segment::Literal(_), Segment::Param(_)) | (Segment::Param(_), Segment::Literal(_)) => {
                false
            }
        };
        self.wildcard == other.wildcard
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(alike)
    }

    /// Whether the paths of this route belong to the host.
    pub fn is_reserved(&self) -> bool {
        RESERVED.iter().any(|reserved| {
            let mut segments = self.segments.iter();
            reserved.iter().all(|part| matches!(segments.next(), Some(Segment::Literal(literal)) if literal == part))
        })
    }

    /// Whether a path (without its query) is one of this route's. Allocates nothing.
    pub fn matches(&self, path: &str) -> bool {
        let mut rest = significant(path);
        for segment in &self.segments {
            let Some((part, after)) = rest.map(split) else {
                return false;
            };
            let fits = match segment {
                Segment::Literal(literal) => literal == part,
                Segment::Param(_) => !part.is_empty(),
            };
            if !fits {
                return false;
            }
            rest = after;
        }
        self.wildcard || rest.is_none()
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.route)
    }
}

// === impl Segment ===

impl Segment {
    fn parse(part: &str) -> Result<Self, String> {
        if let Some(name) = part.strip_prefix(':') {
            // The name becomes part of the header `spin-path-match-<name>`.
            let is_name = !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
            return match is_name {
                true => Ok(Self::Param(name.to_owned())),
                false => Err(format!(
                    "has the parameter `{part}`; a parameter is `:` and letters, digits, `_` or `-`"
                )),
            };
        }
        match part {
            "" => Err("has two slashes in a row; write one".to_owned()),
            "..." | "*" => Err("has a wildcard in the middle; `...` may only come last".to_owned()),
            "." | ".." => Err(format!(
                "has `{part}` as a part of its path; no request has that"
            )),
            literal => Ok(Self::Literal(literal.to_owned())),
        }
    }
}

// === impl Match ===

impl<'r, 'p, T> Match<'r, 'p, T> {
    /// Says that `path` belongs to `pattern`; for calls that are not routed, with [`Pattern::everything`].
    pub fn new(pattern: &'r Pattern, value: &'r T, path: &'p str) -> Self {
        Self {
            value,
            pattern,
            path,
        }
    }

    /// What the wildcard stands for, with its slash in front, for `spin-path-info`; empty without a wildcard.
    pub fn path_info(&self) -> &'p str {
        if !self.pattern.wildcard {
            return "";
        }
        let trimmed = self.path.trim_start_matches('/');
        let mut at = self.path.len() - trimmed.len();
        if self.pattern.segments.is_empty() {
            return self.path.get(at.saturating_sub(1)..).unwrap_or("");
        }
        for (index, _) in self.pattern.segments.iter().enumerate() {
            at += usize::from(index > 0);
            let rest = self.path.get(at..).unwrap_or("");
            at += rest.find('/').unwrap_or(rest.len());
        }
        self.path.get(at..).unwrap_or("")
    }

    /// The parameters of the route with what they stand for in this path, for `spin-path-match-<name>`.
    pub fn params(&self) -> impl Iterator<Item = (&'r str, &'p str)> + use<'r, 'p, T> {
        let parts = significant(self.path)
            .into_iter()
            .flat_map(|path| path.split('/'));
        self.pattern
            .segments
            .iter()
            .zip(parts)
            .filter_map(|(segment, part)| match segment {
                Segment::Literal(_) => None,
                Segment::Param(name) => Some((name.as_str(), part)),
            })
    }
}

/// Takes the fixed part of a route apart; the error goes on after "the route `…`".
fn segments(fixed: &str) -> Result<Vec<Segment>, String> {
    let mut segments = Vec::new();
    for part in significant(fixed)
        .into_iter()
        .flat_map(|fixed| fixed.split('/'))
    {
        let segment = Segment::parse(part)?;
        if matches!(segment, Segment::Param(_)) && segments.contains(&segment) {
            return Err(format!(
                "has two parameters `{part}`; give one another name"
            ));
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// A path without the slashes at its ends; nothing when nothing remains.
pub(super) fn significant(path: &str) -> Option<&str> {
    Some(path.trim_matches('/')).filter(|path| !path.is_empty())
}

/// The first segment, and what comes after its slash.
pub(super) fn split(rest: &str) -> (&str, Option<&str>) {
    match rest.split_once('/') {
        Some((segment, after)) => (segment, Some(after)),
        None => (rest, None),
    }
}
