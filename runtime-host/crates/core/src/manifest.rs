//! The manifest `spin.toml`, read once into types that cannot be wrong.
//!
//! Spin's whole schema (version 2) is understood, and Skald's own settings from the `tool.skald` tables. Every mistake
//! is reported at once, with its line and what to write instead. What would change how an application behaves and is
//! not done here yet is a problem too: nothing is silently left out. No file but the text itself is looked at.

mod check;
mod model;
mod name;
mod notes;
mod problem;
mod read;
mod reader;
mod settings;
mod suggest;
mod template;
mod units;
pub mod variables;

pub use model::{
    App, Build, Capability, Component, Dependency, DependencyTarget, FileMount, HttpTarget,
    HttpTrigger, Inherit, RedisTrigger, Route, StaticResponse, Variable,
};
pub use name::{ComponentId, DependencyName};
pub use problem::{Problem, Problems};
pub use settings::{
    AppSettings, AuthSettings, ComponentHttpSettings, ComponentSettings, EventSettings,
    HttpSettings, Isolation, Retry, SagaSettings,
};
pub use template::Template;
pub use units::{ByteSize, parse_duration};

use toml::de::DeTable;

use notes::{At, Notes};
use reader::Section;

// === impl App ===

impl App {
    /// Reads a manifest. `file` is only what messages call it.
    pub fn parse(text: &str, file: &str) -> Result<Self, Problems> {
        let notes = Notes::new(file, text);
        let app = match DeTable::parse(text) {
            Ok(document) => {
                let root = Section::root(&notes, document.get_ref());
                read::app(&root)
            }
            Err(error) => {
                let line = error.span().map_or(1, |span| notes.line(&span));
                let at = At {
                    line,
                    place: String::new(),
                };
                let found = error.span().and_then(|span| text.get(span)).unwrap_or("");
                let found = found.lines().next().filter(|found| !found.is_empty());
                let found = found
                    .map(|found| format!(" at `{found}`"))
                    .unwrap_or_default();
                notes.problem(
                    &at,
                    format!(
                        "this is not TOML: {}{found}",
                        error.message().replace('\n', "; ")
                    ),
                );
                Self::default()
            }
        };
        let (problems, warnings) = notes.into_lists();
        if problems.is_empty() {
            Ok(Self {
                warnings: warnings.into_list(),
                ..app
            })
        } else {
            Err(problems)
        }
    }
}

#[cfg(test)]
mod tests;
