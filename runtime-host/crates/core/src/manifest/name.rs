//! The names a manifest gives to things, and what a name may look like.

use std::{borrow::Borrow, fmt, sync::Arc};

use semver::Version;

/// Names a component of the application; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentId(Arc<str>);

/// What a component calls something it imports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DependencyName {
    /// `some-import`: an import without a package.
    Plain(String),
    /// `ns:pkg`, `ns:pkg@1.0.0`, `ns:pkg/interface` or `ns:pkg/interface@1.0.0`.
    Package {
        /// The part before the colon.
        namespace: String,
        /// The part after it.
        package: String,
        /// One interface of the package; all that are imported when absent.
        interface: Option<String>,
        /// The version asked for; any when absent.
        version: Option<Version>,
    },
}

// === impl ComponentId ===

impl ComponentId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ComponentId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl Borrow<str> for ComponentId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ComponentId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

// === impl DependencyName ===

impl DependencyName {
    /// Reads a name; the error says what a name must look like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (text, None),
        };
        let Some((namespace, rest)) = path.split_once(':') else {
            return match version {
                None if is_kebab(path) => Ok(Self::Plain(path.to_owned())),
                _ => Err(format!("`{text}` is not a name of an import; {FORMS}")),
            };
        };
        let (package, interface) = match rest.split_once('/') {
            Some((package, interface)) => (package, Some(interface)),
            None => (rest, None),
        };
        if ![Some(namespace), Some(package), interface]
            .into_iter()
            .flatten()
            .all(is_kebab)
        {
            return Err(format!("`{text}` is not a name of an import; {FORMS}"));
        }
        let version = version.map(Version::parse).transpose().map_err(|error| {
            format!(
                "`{text}` ends in something that is not a version ({error}); write `{path}@1.0.0`"
            )
        })?;
        Ok(Self::Package {
            namespace: namespace.to_owned(),
            package: package.to_owned(),
            interface: interface.map(str::to_owned),
            version,
        })
    }

    /// Whether one import could be met by both; a component may not have two such dependencies.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(a), Self::Plain(b)) => a == b,
            (
                Self::Package {
                    namespace,
                    package,
                    interface,
                    version,
                },
                Self::Package {
                    namespace: namespace2,
                    package: package2,
                    interface: interface2,
                    version: version2,
                },
            ) => {
                namespace == namespace2
                    && package == package2
                    && overlap(interface.as_ref(), interface2.as_ref(), |a, b| a == b)
                    && overlap(version.as_ref(), version2.as_ref(), are_compatible)
            }
            (Self::Plain(_), Self::Package { .. }) | (Self::Package { .. }, Self::Plain(_)) => {
                false
            }
        }
    }
}

impl fmt::Display for DependencyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(name) => f.write_str(name),
            Self::Package {
                namespace,
                package,
                interface,
                version,
            } => {
                write!(f, "{namespace}:{package}")?;
                if let Some(interface) = interface {
                    write!(f, "/{interface}")?;
                }
                if let Some(version) = version {
                    write!(f, "@{version}")?;
                }
                Ok(())
            }
        }
    }
}

const FORMS: &str =
    "write `namespace:package`, `namespace:package@1.0.0` or `namespace:package/interface`";

/// Something absent stands for everything, so it overlaps with anything.
fn overlap<T>(a: Option<&T>, b: Option<&T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (None, _) | (_, None) => true,
    }
}

/// Two versions that one import could accept: the same up to the first number that is not zero.
fn are_compatible(a: &Version, b: &Version) -> bool {
    let key = |version: &Version| match (version.major, version.minor) {
        (0, 0) => (0, 0, version.patch),
        (0, minor) => (0, minor, 0),
        (major, _) => (major, 0, 0),
    };
    a == b || (a.pre.is_empty() && b.pre.is_empty() && key(a) == key(b))
}

/// `like-this`: words that start with a letter, each in one case.
pub(super) fn is_kebab(name: &str) -> bool {
    name.split('-')
        .all(|word| is_word(word) && is_one_case(word))
}

/// `like_this`, in either case.
pub(super) fn is_snake(name: &str) -> bool {
    name.split('_')
        .all(|word| is_word(word) && is_one_case(word))
}

/// `like_this`, in lower case.
pub(super) fn is_lower_snake(name: &str) -> bool {
    name.split('_')
        .all(|word| is_word(word) && !word.contains(|c: char| c.is_ascii_uppercase()))
}

fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric())
}

fn is_one_case(word: &str) -> bool {
    !(word.contains(|c: char| c.is_ascii_uppercase())
        && word.contains(|c: char| c.is_ascii_lowercase()))
}

/// The nearest right spelling of `name` with `separator` between its words, when there is an obvious one.
pub(super) fn respelled(name: &str, separator: char) -> Option<String> {
    let mut spelled = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && spelled.ends_with(|last: char| last.is_ascii_lowercase()) {
            spelled.push(separator);
        }
        spelled.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            separator
        });
    }
    let words: Vec<&str> = spelled
        .split(separator)
        .filter(|word| !word.is_empty())
        .collect();
    let spelled = words.join(&separator.to_string());
    (!spelled.is_empty() && words.iter().all(|word| is_word(word))).then_some(spelled)
}

#[cfg(test)]
mod tests;
