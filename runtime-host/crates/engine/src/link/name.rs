//! Names of interfaces: which dependency covers which import, and which version can stand for which.

use std::sync::Arc;

use semver::{Version, VersionReq};

/// `ns:package` of an interface's name.
pub(super) fn package(interface: &str) -> &str {
    interface.split(['/', '@']).next().unwrap_or(interface)
}

/// Whether a dependency's name covers an import: a package covers all its interfaces.
pub(super) fn answers(dependency: &str, import: &str) -> bool {
    let (name, version) = split(dependency);
    let (imported, imported_version) = split(import);
    let covers = name == imported
        || imported
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('/'));
    covers && version.is_none_or(|version| Some(version) == imported_version)
}

/// The exported interface of the same name whose version can stand for the imported one, by the rules of semver.
pub(crate) fn compatible(import: &str, exported: &[&Arc<str>]) -> Option<Arc<str>> {
    if let Some(exact) = exported
        .iter()
        .find(|interface| interface.as_ref() == import)
    {
        return Some(Arc::clone(exact));
    }
    let (name, version) = split(import);
    let wanted = VersionReq::parse(&format!("^{}", version?)).ok()?;
    let fitting = exported.iter().filter_map(|interface| {
        let (exported, version) = split(interface);
        let version = Version::parse(version?).ok()?;
        (exported == name && wanted.matches(&version)).then_some((version, interface))
    });
    fitting
        .max_by(|a, b| a.0.cmp(&b.0))
        .map(|(_, interface)| Arc::clone(interface))
}

fn split(name: &str) -> (&str, Option<&str>) {
    name.split_once('@')
        .map_or((name, None), |(name, version)| (name, Some(version)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{answers, compatible, package};

    #[test]
    fn a_package_answers_all_its_interfaces() {
        assert!(answers("shop:cart", "shop:cart/api@1.0.0"));
        assert!(answers("shop:cart@1.0.0", "shop:cart/api@1.0.0"));
        assert!(answers("shop:cart/api", "shop:cart/api@1.0.0"));
        assert!(!answers("shop:cart@1.0.1", "shop:cart/api@1.0.0"));
        assert!(!answers("shop:cart", "shop:carts/api@1.0.0"));
        assert_eq!(package("shop:cart/api@1.0.0"), "shop:cart");
    }

    #[test]
    fn versions_match_by_semver_and_the_newest_wins() {
        let exported: Vec<Arc<str>> = ["a:b/c@1.0.0", "a:b/c@1.2.0", "a:b/c@2.0.0", "a:b/d@1.3.0"]
            .into_iter()
            .map(Arc::from)
            .collect();
        let exported: Vec<&Arc<str>> = exported.iter().collect();
        let found = |import| compatible(import, &exported).map(|found| found.to_string());
        assert_eq!(found("a:b/c@1.0.0").as_deref(), Some("a:b/c@1.0.0"));
        assert_eq!(found("a:b/c@1.1.0").as_deref(), Some("a:b/c@1.2.0"));
        assert_eq!(found("a:b/c@1.3.0"), None);
        assert_eq!(found("a:b/e@1.0.0"), None);
    }
}
