//! `skald nodes`: which nodes there are.

use skald_admin::view::{Node, Page};

use crate::{
    cli::Nodes,
    failure::Failure,
    present::{self, ink::Ink},
    remote::Remote,
    settings::Settings,
};

/// Lists them.
pub(crate) fn run(settings: &Settings, asked: &Nodes) -> Result<(), Failure> {
    let remote = Remote::find(settings, asked.place.admin.as_deref())?;
    if asked.json {
        present::say(&remote.text("nodes")?);
        return Ok(());
    }
    let page: Page<Node> = remote.get("nodes")?;
    let ink = Ink::detect(asked.place.no_color.as_deref());
    present::say(&present::nodes::list(&page.items, ink));
    Ok(())
}
