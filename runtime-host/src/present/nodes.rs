//! Nodes as people see them.

use skald_admin::view::Node;

use super::{
    ink::{Ink, Tone},
    span::span,
    table,
};

/// The list.
pub(crate) fn list(nodes: &[Node], ink: Ink) -> String {
    let mut table = table(&[
        "node",
        "health",
        "up",
        "calls",
        "address",
        "admin",
        "version",
        "components",
    ]);
    for node in nodes {
        let tone = match node.health.as_str() {
            "ready" => Tone::Good,
            _ => Tone::Backward,
        };
        let or_none = |address: &Option<String>| address.clone().unwrap_or_else(|| "-".to_owned());
        let components = node.components.iter().map(|one| one.component.as_str());
        table.add_row([
            node.node.clone(),
            ink.paint(tone, &node.health),
            span(node.up_seconds.saturating_mul(1_000_000)),
            node.load.to_string(),
            or_none(&node.address),
            or_none(&node.admin),
            node.version.clone(),
            components.collect::<Vec<_>>().join("\n"),
        ]);
    }
    table.trim_fmt()
}
