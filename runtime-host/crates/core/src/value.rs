//! Component-model values, as the host carries them between components that share nothing else.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

/// One value of a WIT type. Resources, streams and futures cannot cross between components, so they have no place here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// `bool`
    Bool(bool),
    /// `s8`
    S8(i8),
    /// `u8`
    U8(u8),
    /// `s16`
    S16(i16),
    /// `u16`
    U16(u16),
    /// `s32`
    S32(i32),
    /// `u32`
    U32(u32),
    /// `s64`
    S64(i64),
    /// `u64`
    U64(u64),
    /// `f32`
    F32(f32),
    /// `f64`
    F64(f64),
    /// `char`
    Char(char),
    /// `string`
    String(String),
    /// `list<T>`
    List(Vec<Value>),
    /// `record`: field names and values, in the order of the type.
    Record(Vec<(String, Value)>),
    /// `tuple`
    Tuple(Vec<Value>),
    /// `variant`: the case's name and payload.
    Variant(String, Option<Box<Value>>),
    /// `enum`: the case's name.
    Enum(String),
    /// `option<T>`
    Option(Option<Box<Value>>),
    /// `result<T, E>`
    Result(Result<Option<Box<Value>>, Option<Box<Value>>>),
    /// `flags`: the names that are set.
    Flags(Vec<String>),
}

/// As WAVE, the component model's notation for values, writes it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::S8(value) => write!(f, "{value}"),
            Self::U8(value) => write!(f, "{value}"),
            Self::S16(value) => write!(f, "{value}"),
            Self::U16(value) => write!(f, "{value}"),
            Self::S32(value) => write!(f, "{value}"),
            Self::U32(value) => write!(f, "{value}"),
            Self::S64(value) => write!(f, "{value}"),
            Self::U64(value) => write!(f, "{value}"),
            Self::F32(value) => write!(f, "{value}"),
            Self::F64(value) => write!(f, "{value}"),
            Self::Char(value) => write!(f, "{value:?}"),
            Self::String(value) => write!(f, "{value:?}"),
            Self::List(values) => listed(f, ('[', ']'), values),
            Self::Tuple(values) => listed(f, ('(', ')'), values),
            Self::Record(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}"));
                listed(f, ('{', '}'), fields)
            }
            Self::Variant(case, payload) => case_of(f, case, payload.as_deref()),
            Self::Enum(case) => f.write_str(case),
            Self::Option(None) => f.write_str("none"),
            Self::Option(payload) => case_of(f, "some", payload.as_deref()),
            Self::Result(Ok(payload)) => case_of(f, "ok", payload.as_deref()),
            Self::Result(Err(payload)) => case_of(f, "err", payload.as_deref()),
            Self::Flags(names) => listed(f, ('{', '}'), names),
        }
    }
}

fn listed<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    (open, close): (char, char),
    items: impl IntoIterator<Item = T>,
) -> fmt::Result {
    f.write_char(open)?;
    for (place, item) in items.into_iter().enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    f.write_char(close)
}

fn case_of(f: &mut fmt::Formatter<'_>, case: &str, payload: Option<&Value>) -> fmt::Result {
    match payload {
        None => f.write_str(case),
        Some(payload) => write!(f, "{case}({payload})"),
    }
}
