//! What is on the wire for a WIT type: messages, their fields and the numbers of these.

use std::{fmt, sync::Arc};

/// A message of the protocol.
#[derive(Debug)]
pub(crate) struct Message {
    /// With its package and the messages around it: `shop.payments.v1.CaptureRequest`.
    pub(crate) name: String,
    /// Whether it is declared within the message that uses it, as types without a name in WIT are.
    pub(crate) is_nested: bool,
    pub(crate) form: Form,
}

/// Which values a message stands for.
#[derive(Debug)]
pub(crate) enum Form {
    /// `record`, by the names of its fields.
    Record(Vec<Field>),
    /// `tuple`, and the parameters of a function.
    Tuple(Vec<Field>),
    /// `variant`
    Variant(Vec<Case>),
    /// `result`: the cases `ok` and `err`.
    Result([Case; 2]),
    /// A value that cannot stand where it is needed without a message around it.
    Wrapper(Field),
}

/// A field of a message.
#[derive(Debug)]
pub(crate) struct Field {
    /// As WIT spells it.
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) shape: Shape,
}

/// A field of a message that holds one field of several.
#[derive(Debug)]
pub(crate) struct Case {
    /// As WIT spells it.
    pub(crate) name: String,
    pub(crate) number: u32,
    /// None where the case carries nothing: an empty message stands for it.
    pub(crate) item: Option<Item>,
}

/// What a field holds, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) label: Label,
    pub(crate) item: Item,
}

/// How often a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// Once.
    One,
    /// `option`: once or not at all.
    Maybe,
    /// `list`: any number of times.
    Many,
    /// `flags`: once for each that is set.
    Flags,
}

/// What is there each time.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Scalar(Scalar),
    /// `list<u8>`
    Bytes,
    Enum(Arc<Names>),
    Message(Arc<Message>),
}

/// The names of an `enum` or of `flags`; the first one has number 1, since 0 is what a missing field reads as.
#[derive(Debug)]
pub(crate) struct Names {
    /// With its package: `shop.orders.v1.Status`.
    pub(crate) name: String,
    /// As WIT spells them.
    pub(crate) cases: Vec<String>,
}

/// Types that have no parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
}

// === impl Message ===

impl Message {
    /// Its fields, where each can be there beside the others.
    pub(crate) fn fields(&self) -> &[Field] {
        match &self.form {
            Form::Record(fields) | Form::Tuple(fields) => fields,
            Form::Wrapper(field) => std::slice::from_ref(field),
            Form::Variant(_) | Form::Result(_) => &[],
        }
    }

    /// Its cases, of which one is there.
    pub(crate) fn cases(&self) -> &[Case] {
        match &self.form {
            Form::Variant(cases) => cases,
            Form::Result(cases) => cases,
            Form::Record(_) | Form::Tuple(_) | Form::Wrapper(_) => &[],
        }
    }

    /// What its fields and cases hold.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        let fields = self.fields().iter().map(|field| &field.shape.item);
        fields.chain(self.cases().iter().filter_map(|case| case.item.as_ref()))
    }

    /// The name without package and messages around it.
    pub(crate) fn short_name(&self) -> &str {
        short(&self.name)
    }
}

// === impl Names ===

impl Names {
    /// The number that stands for a name.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let place = self.cases.iter().position(|case| case == name)?;
        u64::try_from(place).ok().map(|place| place + 1)
    }

    /// The name that a number stands for.
    pub(crate) fn case(&self, number: u64) -> Option<&String> {
        let place = usize::try_from(number.checked_sub(1)?).ok()?;
        self.cases.get(place)
    }
}

/// The part of a name after the last dot.
pub(crate) fn short(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, short)| short)
}

/// Its form, spelled out: what has the same name is the same where this is the same too.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.form {
            Form::Record(_) => "record",
            Form::Tuple(_) => "tuple",
            Form::Variant(_) => "variant",
            Form::Result(_) => "result",
            Form::Wrapper(_) => "wrapper",
        };
        write!(f, "{kind}{{")?;
        for Field {
            name,
            number,
            shape,
        } in self.fields()
        {
            let Shape { label, item } = shape;
            write!(f, "{name}={number}:{label} {item};")?;
        }
        for Case { name, number, item } in self.cases() {
            match item {
                Some(item) => write!(f, "{name}={number}:{item};")?,
                None => write!(f, "{name}={number};")?,
            }
        }
        f.write_str("}")
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "one",
            Self::Maybe => "maybe",
            Self::Many => "many",
            Self::Flags => "flags",
        })
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => f.write_str(scalar.wit()),
            Self::Bytes => f.write_str("bytes"),
            Self::Enum(names) => f.write_str(&names.name),
            Self::Message(message) => f.write_str(&message.name),
        }
    }
}

// === impl Scalar ===

impl Scalar {
    /// As WIT spells it.
    pub(crate) const fn wit(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::S8 => "s8",
            Self::U8 => "u8",
            Self::S16 => "s16",
            Self::U16 => "u16",
            Self::S32 => "s32",
            Self::U32 => "u32",
            Self::S64 => "s64",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::String => "string",
        }
    }
}
