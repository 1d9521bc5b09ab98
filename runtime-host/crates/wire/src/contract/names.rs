//! How names of WIT are spelled in the protocol.

use semver::Version;
use wit_parser::PackageName;

/// The interface whose types go by their own names; those of others have the interface's name before theirs.
const MAIN: &str = "api";

/// Where the names of a package belong: `shop.payments.v1` for `shop:payments@1.0.0`.
pub(crate) fn package(package: &PackageName) -> String {
    let mut name = format!("{}.{}", snake(&package.namespace), snake(&package.name));
    if let Some(version) = &package.version {
        name.push_str(".v");
        name.push_str(&compatible(version));
    }
    name
}

/// Versions that can stand for each other have one name.
fn compatible(version: &Version) -> String {
    let Version {
        major,
        minor,
        patch,
        ..
    } = version;
    if !version.pre.is_empty() {
        let exact = format!("{major}_{minor}_{patch}_{}", version.pre);
        return exact.replace(['.', '-'], "_").to_lowercase();
    }
    match (major, minor) {
        (0, 0) => format!("0_0_{patch}"),
        (0, minor) => format!("0_{minor}"),
        (major, _) => major.to_string(),
    }
}

/// A service's path and a method's name, as a request asks for them: `/shop.payments.v1.Api/Capture`.
///
/// None where the text is not the name of an interface in a package.
pub(crate) fn path(interface: &str, function: &str) -> Option<String> {
    let (path, version) = match interface.split_once('@') {
        Some((path, version)) => (path, Some(Version::parse(version).ok()?)),
        None => (interface, None),
    };
    let (namespace, rest) = path.split_once(':')?;
    let (name, interface) = rest.split_once('/')?;
    let package = package(&PackageName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        version,
    });
    Some(format!(
        "/{package}.{}/{}",
        camel(interface),
        camel(function)
    ))
}

/// The name of a message or an enum that stands for something of an interface.
pub(crate) fn of_interface(interface: &str, name: &str) -> String {
    if interface == MAIN {
        camel(name)
    } else {
        camel(interface) + &camel(name)
    }
}

/// `UpperCamel`
pub(crate) fn camel(kebab: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    };
    kebab.split('-').map(word).collect()
}

/// `lower_snake`
pub(crate) fn snake(kebab: &str) -> String {
    kebab.replace('-', "_").to_ascii_lowercase()
}

/// `lowerCamel`, as a field is called in JSON.
pub(crate) fn json(kebab: &str) -> String {
    let camel = camel(kebab);
    let (first, rest) = camel.split_at_checked(1).unwrap_or((&camel, ""));
    first.to_ascii_lowercase() + rest
}

/// The value of an enum, which shares a scope with those of others and so begins with the enum's name.
pub(crate) fn value(names: &str, case: &str) -> String {
    format!("{}_{}", screaming(names), snake(case).to_ascii_uppercase())
}

/// `UPPER_SNAKE` of `UpperCamel`.
fn screaming(camel: &str) -> String {
    let mut text = String::new();
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

/// The name of the group of cases, which no case may have too.
pub(crate) fn group<'a>(preferred: &str, mut cases: impl Iterator<Item = &'a str>) -> String {
    if cases.any(|case| snake(case) == preferred) {
        // Names of WIT do not end so.
        format!("{preferred}_")
    } else {
        preferred.to_owned()
    }
}
