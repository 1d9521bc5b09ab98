//! Which route a path belongs to, by Spin's rules.
//!
//! A route is exact (`/cart`), has parameters (`/users/:id`) or ends in a wildcard (`/files/...`). Segment by segment a
//! literal beats a parameter and a parameter beats the wildcard, so the longest prefix wins. Slashes at either end of a
//! path do not count. There is no routing by host, method or header, as in Spin.

mod method;
mod pattern;

use std::collections::BTreeMap;

pub use method::MethodPattern;
pub use pattern::{Match, Pattern};

/// Routes with what each leads to. Looking a path up allocates nothing.
#[derive(Clone, Debug)]
pub struct Routes<T> {
    entries: Vec<(Pattern, T)>,
    root: Node,
}

/// What can follow after the same beginning of a path. The numbers are places in `Routes::entries`.
#[derive(Clone, Debug, Default)]
struct Node {
    literals: BTreeMap<Box<str>, Node>,
    param: Option<Box<Node>>,
    here: Option<usize>,
    wildcard: Option<usize>,
}

// === impl Routes ===

impl<T> Routes<T> {
    /// Makes the routes ready for look-ups. Where two patterns mean the same paths, the first one stays.
    pub fn build(entries: Vec<(Pattern, T)>) -> Self {
        let mut root = Node::default();
        for (index, (pattern, _)) in entries.iter().enumerate() {
            root.insert(pattern, index);
        }
        Self { entries, root }
    }

    /// The best route for the path of a request (without its query).
    pub fn find<'r, 'p>(&'r self, path: &'p str) -> Option<Match<'r, 'p, T>> {
        let index = self.root.find(pattern::significant(path))?;
        let (pattern, value) = self.entries.get(index)?;
        Some(Match::new(pattern, value, path))
    }

    /// Every route, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&Pattern, &T)> {
        self.entries.iter().map(|(pattern, value)| (pattern, value))
    }
}

// === impl Node ===

impl Node {
    fn insert(&mut self, pattern: &Pattern, index: usize) {
        let mut node = self;
        for segment in pattern.segments() {
            node = match segment {
                pattern::Segment::Literal(literal) => {
                    node.literals.entry(literal.as_str().into()).or_default()
                }
                pattern::Segment::Param(_) => node.param.get_or_insert_default(),
            };
        }
        let place = if pattern.is_wildcard() {
            &mut node.wildcard
        } else {
            &mut node.here
        };
        place.get_or_insert(index);
    }

    /// Goes back to a less exact branch when a more exact one leads nowhere; as deep as the longest route at most.
    fn find(&self, rest: Option<&str>) -> Option<usize> {
        let Some(rest) = rest else {
            return self.here.or(self.wildcard);
        };
        let (segment, after) = pattern::split(rest);
        let literal = || self.literals.get(segment)?.find(after);
        let param = || {
            self.param
                .as_ref()
                .filter(|_| !segment.is_empty())?
                .find(after)
        };
        literal().or_else(param).or(self.wildcard)
    }
}

#[cfg(test)]
mod tests;
