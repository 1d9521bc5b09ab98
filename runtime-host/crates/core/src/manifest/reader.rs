//! Walks a TOML document and collects what is wrong with it, without ever stopping at the first mistake.
//!
//! Every reading function reports a mistake itself and then carries on with nothing or with a placeholder; the
//! placeholder is never seen, because a manifest with a problem is not handed out. It knows TOML, not manifests.

use std::cell::{Cell, RefCell};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    notes::{At, Notes},
    suggest,
};

/// A table being read. What nobody asked for is reported as unknown when it is dropped, so no reader can forget to.
#[derive(Debug)]
pub(super) struct Section<'a> {
    notes: &'a Notes,
    at: At,
    table: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
    /// What has to be there and is not, with what to say; a near misspelling says it better.
    missing: RefCell<Vec<(&'static str, String)>>,
    open: Cell<bool>,
}

/// A value being read.
#[derive(Clone, Debug)]
pub(super) struct Reading<'a> {
    notes: &'a Notes,
    /// The table it is in, at the line of the value's key.
    pub(super) at: At,
    /// What to call it in a message.
    pub(super) key: String,
    value: &'a Spanned<DeValue<'a>>,
}

// === impl Section ===

impl<'a> Section<'a> {
    pub(super) fn root(notes: &'a Notes, table: &'a DeTable<'a>) -> Self {
        Self::new(
            notes,
            At {
                line: 1,
                place: String::new(),
            },
            table,
        )
    }

    fn new(notes: &'a Notes, at: At, table: &'a DeTable<'a>) -> Self {
        Self {
            notes,
            at,
            table,
            asked: RefCell::default(),
            missing: RefCell::default(),
            open: Cell::new(false),
        }
    }

    pub(super) fn notes(&self) -> &'a Notes {
        self.notes
    }

    /// Where the table starts.
    pub(super) fn at(&self) -> &At {
        &self.at
    }

    /// Notes a mistake of the table as a whole.
    pub(super) fn problem(&self, message: impl Into<String>) {
        self.notes.problem(&self.at, message);
    }

    /// The value of a key, whatever it is.
    pub(super) fn value(&self, key: &'static str) -> Option<Reading<'a>> {
        self.asked.borrow_mut().push(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some(self.reading(name, value))
    }

    /// The value of a key that has to be there.
    pub(super) fn required(&self, key: &'static str, example: &str) -> Option<Reading<'a>> {
        let value = self.value(key);
        if value.is_none() {
            self.missing(
                key,
                format!("`{key}` is missing; write `{key} = {example}`"),
            );
        }
        value
    }

    /// Notes that a key has to be there, unless it turns out to be misspelled.
    pub(super) fn missing(&self, key: &'static str, message: impl Into<String>) {
        self.missing.borrow_mut().push((key, message.into()));
    }

    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        self.value(key)?.text()
    }

    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        self.value(key)?.flag()
    }

    pub(super) fn texts(&self, key: &'static str) -> Vec<String> {
        self.value(key)
            .map(|value| value.texts())
            .unwrap_or_default()
    }

    pub(super) fn section(&self, key: &'static str) -> Option<Section<'a>> {
        self.value(key)?.section()
    }

    /// The entries of a table whose keys are names, such as `environment`; none when it is not there.
    pub(super) fn named(&self, key: &'static str) -> Vec<Reading<'a>> {
        self.section(key)
            .map(|section| section.entries())
            .unwrap_or_default()
    }

    /// Takes what is left as it is, for tables that somebody else reads.
    pub(super) fn ignore_rest(&self) {
        self.open.set(true);
    }

    /// Every key with its value, for tables whose keys are names: none is unknown.
    pub(super) fn entries(&self) -> Vec<Reading<'a>> {
        self.open.set(true);
        self.table
            .iter()
            .map(|(name, value)| self.reading(name, value))
            .collect()
    }

    /// Takes out of `missing` what is only misspelled.
    fn report_unknown_keys(&self, missing: &mut Vec<(&'static str, String)>) {
        let asked = self.asked.take();
        let free = || {
            asked
                .iter()
                .copied()
                .filter(|known| !self.table.contains_key(*known))
        };
        for (name, _) in self
            .table
            .iter()
            .filter(|(name, _)| !asked.contains(&name.get_ref().as_ref()))
        {
            let key = name.get_ref().as_ref();
            let at = At {
                line: self.notes.line(&name.span()),
                place: self.at.place.clone(),
            };
            self.notes.problem(
                &at,
                format!("unknown key `{key}`{}", suggest::instead_of(key, free())),
            );
            if let Some(meant) = suggest::nearest(key, free()) {
                missing.retain(|(known, _)| *known != meant);
            }
        }
    }

    fn reading(
        &self,
        name: &'a Spanned<std::borrow::Cow<'a, str>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Reading<'a> {
        let at = At {
            line: self.notes.line(&name.span()),
            place: self.at.place.clone(),
        };
        Reading {
            notes: self.notes,
            at,
            key: name.get_ref().to_string(),
            value,
        }
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        let mut missing = self.missing.take();
        if !self.open.get() {
            self.report_unknown_keys(&mut missing);
        }
        for (_, message) in missing {
            self.problem(message);
        }
    }
}

// === impl Reading ===

impl<'a> Reading<'a> {
    /// Notes a mistake in this value.
    pub(super) fn problem(&self, message: impl Into<String>) {
        self.notes.problem(&self.at, message);
    }

    /// Notes that this value should have been `wanted`.
    pub(super) fn wrong_type(&self, wanted: &str) {
        let found = match self.value.get_ref() {
            DeValue::String(text) => format!("the string \"{text}\""),
            DeValue::Integer(number) => format!("the number {number}"),
            DeValue::Float(number) => format!("the number {number}"),
            DeValue::Boolean(flag) => format!("`{flag}`"),
            DeValue::Datetime(_) => "a date".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        self.problem(format!("`{}` must be {wanted}, not {found}", self.key));
    }

    pub(super) fn as_text(&self) -> Option<&'a str> {
        self.value.get_ref().as_str()
    }

    pub(super) fn text(&self) -> Option<String> {
        self.text_like("a string")
    }

    /// A string; `wanted` says what it should have been when it is not one.
    pub(super) fn text_like(&self, wanted: &str) -> Option<String> {
        let text = self.as_text().map(str::to_owned);
        if text.is_none() {
            self.wrong_type(wanted);
        }
        text
    }

    pub(super) fn flag(&self) -> Option<bool> {
        let flag = self.value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type("`true` or `false`");
        }
        flag
    }

    pub(super) fn as_flag(&self) -> Option<bool> {
        self.value.get_ref().as_bool()
    }

    pub(super) fn number(&self) -> Option<i64> {
        let number = self.as_number();
        if number.is_none() {
            self.wrong_type("a whole number");
        }
        number
    }

    pub(super) fn as_number(&self) -> Option<i64> {
        let number = self.value.get_ref().as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    pub(super) fn is_list(&self) -> bool {
        self.value.get_ref().is_array()
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    /// Whether it is a list or a table with nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        match self.value.get_ref() {
            DeValue::Array(list) => list.is_empty(),
            DeValue::Table(table) => table.is_empty(),
            _ => false,
        }
    }

    /// The items of a list, each called by the list's key.
    pub(super) fn list(&self) -> Vec<Reading<'a>> {
        let Some(list) = self.value.get_ref().as_array() else {
            self.wrong_type("a list");
            return Vec::new();
        };
        list.iter().map(|item| self.item(item)).collect()
    }

    /// The strings of a list.
    pub(super) fn texts(&self) -> Vec<String> {
        if !self.is_list() {
            self.wrong_type("a list of strings");
            return Vec::new();
        }
        let items = self.list();
        items
            .iter()
            .filter_map(|item| item.text_like("a list of strings"))
            .collect()
    }

    /// The value as a table of its own.
    pub(super) fn section(&self) -> Option<Section<'a>> {
        self.section_called(|inside, key| {
            let inside = inside.trim_matches(['[', ']']);
            let dot = if inside.is_empty() { "" } else { "." };
            format!("[{inside}{dot}{}]", quoted(key))
        })
    }

    /// The items of an array of tables, such as `[[trigger.http]]`.
    pub(super) fn sections(&self) -> Vec<Section<'a>> {
        let inside = self.at.place.trim_matches(['[', ']']);
        let place = format!("[[{inside}.{}]]", quoted(&self.key));
        if !self.is_list() {
            self.problem(format!(
                "`{}` must be a list of tables; write the header `{place}`",
                self.key
            ));
            return Vec::new();
        }
        self.list()
            .iter()
            .filter_map(|item| item.section_called(|_, _| place.clone()))
            .collect()
    }

    fn section_called(&self, place: impl Fn(&str, &str) -> String) -> Option<Section<'a>> {
        let Some(table) = self.value.get_ref().as_table() else {
            self.wrong_type("a table");
            return None;
        };
        let at = At {
            line: self.at.line,
            place: place(&self.at.place, &self.key),
        };
        Some(Section::new(self.notes, at, table))
    }

    fn item(&self, value: &'a Spanned<DeValue<'a>>) -> Reading<'a> {
        let line = self.notes.line(&value.span());
        Reading {
            at: At {
                line,
                ..self.at.clone()
            },
            value,
            ..self.clone()
        }
    }
}

/// A key as it would be written in a header.
fn quoted(key: &str) -> String {
    let bare = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare {
        key.to_owned()
    } else {
        format!("\"{key}\"")
    }
}
