//! From bytes to values.

use skald_core::value::Value;

use super::{
    Invalid,
    raw::{Raw, Reader, unzigzag},
};
use crate::contract::{
    names,
    shape::{Case, Field, Form, Item, Label, Message, Names, Scalar},
};

/// Most values in one message. Two bytes can be a message with many fields of their own, so that the length of a message
/// says little about the memory that its values take.
pub(super) const MOST_VALUES: usize = 4 << 20;

/// Decodes one message and those in it.
pub(super) struct Decoder {
    /// How many values there may still be.
    left: usize,
}

/// How numbers follow each other that share one key.
#[derive(Clone, Copy)]
enum Packed {
    Varint,
    Fixed32,
    Fixed64,
}

/// What came for one field.
#[derive(Default)]
enum Slot<'a> {
    #[default]
    Empty,
    Once(Raw<'a>),
    Often(Vec<Raw<'a>>),
}

// === impl Slot ===

impl<'a> Slot<'a> {
    fn add(&mut self, raw: Raw<'a>) {
        *self = match std::mem::take(self) {
            Self::Empty => Self::Once(raw),
            Self::Once(first) => Self::Often(vec![first, raw]),
            Self::Often(mut all) => {
                all.push(raw);
                Self::Often(all)
            }
        };
    }

    fn all(&self) -> &[Raw<'a>] {
        match self {
            Self::Empty => &[],
            Self::Once(raw) => std::slice::from_ref(raw),
            Self::Often(all) => all,
        }
    }
}

// === impl Decoder ===

impl Decoder {
    pub(super) const fn new(most: usize) -> Self {
        Self { left: most }
    }

    pub(super) fn message(&mut self, message: &Message, bytes: &[u8]) -> Result<Value, Invalid> {
        self.count(1)?;
        Ok(match &message.form {
            Form::Record(fields) => {
                let names = fields.iter().map(|field| field.name.clone());
                Value::Record(names.zip(self.fields(fields, bytes)?).collect())
            }
            Form::Tuple(fields) => Value::Tuple(self.fields(fields, bytes)?),
            Form::Wrapper(field) => {
                let mut values = self.fields(std::slice::from_ref(field), bytes)?;
                values.pop().ok_or_else(|| Invalid::new("is missing"))?
            }
            Form::Variant(cases) => {
                let (case, payload) = self.case(cases, bytes)?;
                Value::Variant(case.name.clone(), payload)
            }
            Form::Result(cases) => {
                let (case, payload) = self.case(cases, bytes)?;
                let is_ok = case.number == 1;
                Value::Result(if is_ok { Ok(payload) } else { Err(payload) })
            }
        })
    }

    fn fields(&mut self, fields: &[Field], bytes: &[u8]) -> Result<Vec<Value>, Invalid> {
        let mut slots: Vec<Slot<'_>> = fields.iter().map(|_| Slot::Empty).collect();
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            let (number, raw) = reader.field()?;
            let place = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
            // Fields that are not known are from a newer contract, and left to those who know it.
            if let Some(slot) = place.and_then(|place| slots.get_mut(place)) {
                slot.add(raw);
            }
        }
        let fields = fields.iter().zip(&slots).map(|(field, slot)| {
            let value = self.field(field, slot.all());
            value.map_err(|invalid| invalid.within(&names::snake(&field.name)))
        });
        fields.collect()
    }

    fn field(&mut self, field: &Field, raws: &[Raw<'_>]) -> Result<Value, Invalid> {
        let item = &field.shape.item;
        match field.shape.label {
            Label::One => match merged(item, raws)? {
                Some(raw) => self.item(item, raw.borrowed()),
                None => missing(item),
            },
            Label::Maybe => {
                let value = match merged(item, raws)? {
                    Some(raw) => Some(Box::new(self.item(item, raw.borrowed())?)),
                    None => None,
                };
                Ok(Value::Option(value))
            }
            Label::Many => Ok(Value::List(self.list(item, raws)?)),
            Label::Flags => flags(item, raws),
        }
    }

    /// The case that is set: of several the last one, as the protocol has it.
    fn case<'c>(
        &mut self,
        cases: &'c [Case],
        bytes: &[u8],
    ) -> Result<(&'c Case, Option<Box<Value>>), Invalid> {
        let mut found: Option<(&Case, Slot<'_>)> = None;
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            let (number, raw) = reader.field()?;
            let Some(case) = cases.iter().find(|case| case.number == number) else {
                continue;
            };
            match &mut found {
                Some((before, slot)) if before.number == number => slot.add(raw),
                _ => found = Some((case, Slot::Once(raw))),
            }
        }
        let Some((case, slot)) = found else {
            let names: Vec<_> = cases.iter().map(|case| names::snake(&case.name)).collect();
            return Err(Invalid::new(format!("has none of {}", names.join(", "))));
        };
        let payload = self.payload(case, slot.all());
        let payload = payload.map_err(|invalid| invalid.within(&names::snake(&case.name)))?;
        Ok((case, payload))
    }

    fn payload(&mut self, case: &Case, raws: &[Raw<'_>]) -> Result<Option<Box<Value>>, Invalid> {
        let Some(item) = &case.item else {
            let is_message = raws.iter().all(|raw| matches!(raw, Raw::Bytes(_)));
            return if is_message {
                Ok(None)
            } else {
                Err(other_type())
            };
        };
        let raw = merged(item, raws)?.ok_or_else(|| Invalid::new("is missing"))?;
        Ok(Some(Box::new(self.item(item, raw.borrowed())?)))
    }

    fn list(&mut self, item: &Item, raws: &[Raw<'_>]) -> Result<Vec<Value>, Invalid> {
        let mut values = Vec::with_capacity(raws.len());
        for raw in raws {
            match (raw, packed(item)) {
                // Senders may pack numbers or not.
                (Raw::Bytes(bytes), Some(packed)) => {
                    self.unpack(&mut values, item, packed, Reader::new(bytes))?;
                }
                (raw, _) => values.push(self.item_at(values.len(), item, *raw)?),
            }
        }
        Ok(values)
    }

    fn unpack(
        &mut self,
        values: &mut Vec<Value>,
        item: &Item,
        packed: Packed,
        mut reader: Reader<'_>,
    ) -> Result<(), Invalid> {
        while !reader.is_empty() {
            let raw = match packed {
                Packed::Varint => Raw::Varint(reader.varint()?),
                Packed::Fixed32 => Raw::Fixed32(reader.fixed32()?),
                Packed::Fixed64 => Raw::Fixed64(reader.fixed64()?),
            };
            values.push(self.item_at(values.len(), item, raw)?);
        }
        Ok(())
    }

    fn item_at(&mut self, place: usize, item: &Item, raw: Raw<'_>) -> Result<Value, Invalid> {
        let value = self.item(item, raw);
        value.map_err(|invalid| invalid.within(&format!("[{place}]")))
    }

    fn item(&mut self, item: &Item, raw: Raw<'_>) -> Result<Value, Invalid> {
        match (item, raw) {
            (Item::Message(inner), Raw::Bytes(bytes)) => return self.message(inner, bytes),
            (Item::Bytes, Raw::Bytes(bytes)) => {
                self.count(bytes.len())?;
                return Ok(Value::List(
                    bytes.iter().map(|byte| Value::U8(*byte)).collect(),
                ));
            }
            _ => self.count(1)?,
        }
        match (item, raw) {
            (Item::Enum(names), Raw::Varint(number)) => Ok(Value::Enum(case_of(names, number)?)),
            (Item::Scalar(scalar), raw) => self::scalar(*scalar, raw),
            (Item::Enum(_) | Item::Bytes | Item::Message(_), _) => Err(other_type()),
        }
    }

    fn count(&mut self, values: usize) -> Result<(), Invalid> {
        let left = self.left.checked_sub(values);
        self.left = left.ok_or_else(|| Invalid::new("has more values than a message may have"))?;
        Ok(())
    }
}

/// Bytes of a field that may have come in pieces.
enum Merged<'a> {
    Whole(Raw<'a>),
    Joined(Vec<u8>),
}

impl Merged<'_> {
    fn borrowed(&self) -> Raw<'_> {
        match self {
            Self::Whole(raw) => *raw,
            Self::Joined(bytes) => Raw::Bytes(bytes),
        }
    }
}

/// What a field holds that came several times: of messages all together, of others the last.
fn merged<'a>(item: &Item, raws: &[Raw<'a>]) -> Result<Option<Merged<'a>>, Invalid> {
    let (Item::Message(_), [_, _, ..]) = (item, raws) else {
        return Ok(raws.last().map(|raw| Merged::Whole(*raw)));
    };
    let mut joined = Vec::new();
    for raw in raws {
        let Raw::Bytes(bytes) = raw else {
            return Err(other_type());
        };
        joined.extend_from_slice(bytes);
    }
    Ok(Some(Merged::Joined(joined)))
}

/// What a field that is not there means.
fn missing(item: &Item) -> Result<Value, Invalid> {
    Ok(match item {
        Item::Bytes => Value::List(Vec::new()),
        Item::Scalar(Scalar::Bool) => Value::Bool(false),
        Item::Scalar(Scalar::S8) => Value::S8(0),
        Item::Scalar(Scalar::U8) => Value::U8(0),
        Item::Scalar(Scalar::S16) => Value::S16(0),
        Item::Scalar(Scalar::U16) => Value::U16(0),
        Item::Scalar(Scalar::S32) => Value::S32(0),
        Item::Scalar(Scalar::U32) => Value::U32(0),
        Item::Scalar(Scalar::S64) => Value::S64(0),
        Item::Scalar(Scalar::U64) => Value::U64(0),
        Item::Scalar(Scalar::F32) => Value::F32(0.0),
        Item::Scalar(Scalar::F64) => Value::F64(0.0),
        Item::Scalar(Scalar::String) => Value::String(String::new()),
        // There is no character, case or message that could be meant.
        Item::Scalar(Scalar::Char) | Item::Enum(_) | Item::Message(_) => {
            return Err(Invalid::new("is missing"));
        }
    })
}

/// In the order of the type, as the engine has them, however often each was sent.
fn flags(item: &Item, raws: &[Raw<'_>]) -> Result<Value, Invalid> {
    let Item::Enum(names) = item else {
        return Err(other_type());
    };
    let mut set = vec![false; names.cases.len()];
    let mut add = |number: u64| {
        let place = number.checked_sub(1).and_then(|n| usize::try_from(n).ok());
        match place.and_then(|place| set.get_mut(place)) {
            Some(flag) => {
                *flag = true;
                Ok(())
            }
            None => Err(no_case(number)),
        }
    };
    for raw in raws {
        match raw {
            Raw::Varint(number) => add(*number)?,
            Raw::Bytes(bytes) => {
                let mut reader = Reader::new(bytes);
                while !reader.is_empty() {
                    add(reader.varint()?)?;
                }
            }
            Raw::Fixed32(_) | Raw::Fixed64(_) => return Err(other_type()),
        }
    }
    let names = names.cases.iter().zip(set).filter(|(_, is_set)| *is_set);
    Ok(Value::Flags(names.map(|(name, _)| name.clone()).collect()))
}

/// Whether, and how, several numbers can share one key.
const fn packed(item: &Item) -> Option<Packed> {
    match item {
        Item::Scalar(Scalar::Char | Scalar::String) | Item::Bytes | Item::Message(_) => None,
        Item::Scalar(Scalar::F32) => Some(Packed::Fixed32),
        Item::Scalar(Scalar::F64) => Some(Packed::Fixed64),
        Item::Scalar(_) | Item::Enum(_) => Some(Packed::Varint),
    }
}

fn scalar(scalar: Scalar, raw: Raw<'_>) -> Result<Value, Invalid> {
    let signed = |number: u64| unzigzag(number);
    Ok(match (scalar, raw) {
        (Scalar::Bool, Raw::Varint(n)) => Value::Bool(n != 0),
        (Scalar::S8, Raw::Varint(n)) => Value::S8(narrow(signed(n), scalar)?),
        (Scalar::U8, Raw::Varint(n)) => Value::U8(narrow(n, scalar)?),
        (Scalar::S16, Raw::Varint(n)) => Value::S16(narrow(signed(n), scalar)?),
        (Scalar::U16, Raw::Varint(n)) => Value::U16(narrow(n, scalar)?),
        (Scalar::S32, Raw::Varint(n)) => Value::S32(narrow(signed(n), scalar)?),
        (Scalar::U32, Raw::Varint(n)) => Value::U32(narrow(n, scalar)?),
        (Scalar::S64, Raw::Varint(n)) => Value::S64(signed(n)),
        (Scalar::U64, Raw::Varint(n)) => Value::U64(n),
        (Scalar::F32, Raw::Fixed32(bits)) => Value::F32(f32::from_bits(bits)),
        (Scalar::F64, Raw::Fixed64(bits)) => Value::F64(f64::from_bits(bits)),
        (Scalar::Char, Raw::Bytes(bytes)) => Value::Char(char_of(bytes)?),
        (Scalar::String, Raw::Bytes(bytes)) => Value::String(text(bytes)?.to_owned()),
        _ => return Err(other_type()),
    })
}

fn narrow<W: TryInto<N> + Copy + ToString, N>(wide: W, scalar: Scalar) -> Result<N, Invalid> {
    wide.try_into().map_err(|_| {
        let number = wide.to_string();
        Invalid::new(format!("is {number}, which is no {}", scalar.wit()))
    })
}

fn text(bytes: &[u8]) -> Result<&str, Invalid> {
    std::str::from_utf8(bytes).map_err(|_| Invalid::new("is not UTF-8"))
}

fn char_of(bytes: &[u8]) -> Result<char, Invalid> {
    let mut chars = text(bytes)?.chars();
    match (chars.next(), chars.next()) {
        (Some(char), None) => Ok(char),
        _ => Err(Invalid::new("is not exactly one character")),
    }
}

fn case_of(names: &Names, number: u64) -> Result<String, Invalid> {
    match number {
        0 => Err(Invalid::new("is missing")),
        number => names.case(number).cloned().ok_or_else(|| no_case(number)),
    }
}

fn no_case(number: u64) -> Invalid {
    Invalid::new(format!("has no case with the number {number}"))
}

fn other_type() -> Invalid {
    Invalid::new("is encoded as another type")
}
