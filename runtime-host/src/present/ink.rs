//! Colours, where they are seen.

use std::{ffi::OsStr, io::IsTerminal};

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// A terminal that shows them.
    Coloured,
    /// Anything else.
    Plain,
}

/// What a text is to stand out as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As any other.
    Usual,
    /// Less important.
    Faint,
    /// What a reader looks for first.
    Strong,
    /// It went well.
    Good,
    /// It did not.
    Bad,
    /// It goes backward.
    Backward,
}

// === impl Ink ===

impl Ink {
    /// Colours on a terminal whose owner has not asked for none (<https://no-color.org>).
    pub(crate) fn detect(no_color: Option<&OsStr>) -> Self {
        let is_unwanted = no_color.is_some_and(|value| !value.is_empty());
        if !is_unwanted && std::io::stdout().is_terminal() {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    /// The text in its tone.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match (self, tone) {
            (Self::Plain, _) | (Self::Coloured, Tone::Usual) => return text.to_owned(),
            (Self::Coloured, Tone::Faint) => 2,
            (Self::Coloured, Tone::Strong) => 1,
            (Self::Coloured, Tone::Good) => 32,
            (Self::Coloured, Tone::Bad) => 31,
            (Self::Coloured, Tone::Backward) => 33,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
