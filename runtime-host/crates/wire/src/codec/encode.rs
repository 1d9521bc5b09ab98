//! From values to bytes.

use skald_core::value::Value;

use super::{
    Invalid,
    raw::{Raw, zigzag},
};
use crate::contract::{
    names,
    shape::{Case, Field, Form, Item, Label, Message, Names, Scalar},
};

pub(super) fn message(out: &mut Vec<u8>, message: &Message, value: &Value) -> Result<(), Invalid> {
    match (&message.form, value) {
        (Form::Record(known), Value::Record(values)) => {
            let named = known.iter().zip(values);
            if let Some((known, (name, _))) =
                named.into_iter().find(|(f, (name, _))| f.name != *name)
            {
                return Err(Invalid::new(format!(
                    "has a field `{name}` for `{}`",
                    known.name
                )));
            }
            fields(out, known, values.iter().map(|(_, value)| value))
        }
        (Form::Tuple(known), Value::Tuple(values)) => fields(out, known, values.iter()),
        (Form::Variant(cases), Value::Variant(name, payload)) => {
            let case = cases.iter().find(|case| case.name == *name);
            let case = case.ok_or_else(|| Invalid::new(format!("has no case `{name}`")))?;
            self::case(out, case, payload.as_deref())
        }
        (Form::Result([ok, _]), Value::Result(Ok(payload))) => case(out, ok, payload.as_deref()),
        (Form::Result([_, err]), Value::Result(Err(payload))) => case(out, err, payload.as_deref()),
        (Form::Wrapper(known), value) => field(out, known, value),
        (Form::Record(_) | Form::Tuple(_) | Form::Variant(_) | Form::Result(_), _) => {
            Err(other_type(value))
        }
    }
}

pub(super) fn fields<'v>(
    out: &mut Vec<u8>,
    fields: &[Field],
    values: impl ExactSizeIterator<Item = &'v Value>,
) -> Result<(), Invalid> {
    if fields.len() != values.len() {
        let (wanted, given) = (fields.len(), values.len());
        return Err(Invalid::new(format!("has {given} parts, not {wanted}")));
    }
    for (known, value) in fields.iter().zip(values) {
        field(out, known, value)?;
    }
    Ok(())
}

fn case(out: &mut Vec<u8>, case: &Case, payload: Option<&Value>) -> Result<(), Invalid> {
    let encoded = match (&case.item, payload) {
        (None, None) => {
            Raw::Bytes(&[]).write(out, case.number);
            Ok(())
        }
        (Some(item), Some(payload)) => with_raw(item, payload, |raw| raw.write(out, case.number)),
        (Some(_), None) => Err(Invalid::new("has no payload")),
        (None, Some(_)) => Err(Invalid::new("has a payload")),
    };
    encoded.map_err(|invalid| invalid.within(&names::snake(&case.name)))
}

fn field(out: &mut Vec<u8>, field: &Field, value: &Value) -> Result<(), Invalid> {
    let item = &field.shape.item;
    let number = field.number;
    let encoded = match (field.shape.label, value) {
        (Label::One, value) => with_raw(item, value, |raw| {
            // Where a missing field has a meaning, that meaning needs no bytes. An empty message is not a missing one.
            if matches!(item, Item::Message(_)) || !raw.is_default() {
                raw.write(out, number);
            }
        }),
        (Label::Maybe, Value::Option(None)) => Ok(()),
        (Label::Maybe, Value::Option(Some(value))) => {
            with_raw(item, value, |raw| raw.write(out, number))
        }
        (Label::Many, Value::List(values)) => list(out, number, item, values),
        (Label::Flags, Value::Flags(set)) => match item {
            Item::Enum(names) => flags(out, number, names, set),
            Item::Scalar(_) | Item::Bytes | Item::Message(_) => Err(other_type(value)),
        },
        (Label::Maybe | Label::Many | Label::Flags, value) => Err(other_type(value)),
    };
    encoded.map_err(|invalid| invalid.within(&names::snake(&field.name)))
}

fn list(out: &mut Vec<u8>, number: u32, item: &Item, values: &[Value]) -> Result<(), Invalid> {
    let mut packed = Vec::new();
    let is_packed = is_packed(item);
    for (place, value) in values.iter().enumerate() {
        let written = with_raw(item, value, |raw| {
            if is_packed {
                raw.write_packed(&mut packed);
            } else {
                raw.write(out, number);
            }
        });
        written.map_err(|invalid| invalid.within(&format!("[{place}]")))?;
    }
    if !packed.is_empty() {
        Raw::Bytes(&packed).write(out, number);
    }
    Ok(())
}

fn flags(out: &mut Vec<u8>, number: u32, names: &Names, set: &[String]) -> Result<(), Invalid> {
    let mut packed = Vec::new();
    for name in set {
        Raw::Varint(number_of(names, name)?).write_packed(&mut packed);
    }
    if !packed.is_empty() {
        Raw::Bytes(&packed).write(out, number);
    }
    Ok(())
}

/// Whether the items of a list share one key.
const fn is_packed(item: &Item) -> bool {
    match item {
        Item::Scalar(scalar) => !matches!(scalar, Scalar::Char | Scalar::String),
        Item::Enum(_) => true,
        Item::Bytes | Item::Message(_) => false,
    }
}

/// Makes the bytes of one thing, wherever they may live, and has them written.
fn with_raw(item: &Item, value: &Value, write: impl FnOnce(Raw<'_>)) -> Result<(), Invalid> {
    match (item, value) {
        (Item::Message(inner), value) => {
            let mut bytes = Vec::new();
            message(&mut bytes, inner, value)?;
            write(Raw::Bytes(&bytes));
        }
        (Item::Enum(names), Value::Enum(name)) => write(Raw::Varint(number_of(names, name)?)),
        (Item::Bytes, Value::List(values)) => {
            let byte = |value: &Value| match value {
                Value::U8(byte) => Ok(*byte),
                value => Err(other_type(value)),
            };
            let bytes = values.iter().map(byte).collect::<Result<Vec<u8>, _>>()?;
            write(Raw::Bytes(&bytes));
        }
        (Item::Scalar(Scalar::String), Value::String(text)) => write(Raw::Bytes(text.as_bytes())),
        (Item::Scalar(Scalar::Char), Value::Char(char)) => {
            write(Raw::Bytes(char.encode_utf8(&mut [0; 4]).as_bytes()));
        }
        (Item::Scalar(scalar), value) => {
            write(number(*scalar, value).ok_or_else(|| other_type(value))?);
        }
        (Item::Enum(_) | Item::Bytes, value) => return Err(other_type(value)),
    }
    Ok(())
}

fn number(scalar: Scalar, value: &Value) -> Option<Raw<'static>> {
    Some(match (scalar, value) {
        (Scalar::Bool, Value::Bool(value)) => Raw::Varint(u64::from(*value)),
        (Scalar::S8, Value::S8(value)) => Raw::Varint(zigzag(i64::from(*value))),
        (Scalar::U8, Value::U8(value)) => Raw::Varint(u64::from(*value)),
        (Scalar::S16, Value::S16(value)) => Raw::Varint(zigzag(i64::from(*value))),
        (Scalar::U16, Value::U16(value)) => Raw::Varint(u64::from(*value)),
        (Scalar::S32, Value::S32(value)) => Raw::Varint(zigzag(i64::from(*value))),
        (Scalar::U32, Value::U32(value)) => Raw::Varint(u64::from(*value)),
        (Scalar::S64, Value::S64(value)) => Raw::Varint(zigzag(*value)),
        (Scalar::U64, Value::U64(value)) => Raw::Varint(*value),
        (Scalar::F32, Value::F32(value)) => Raw::Fixed32(value.to_bits()),
        (Scalar::F64, Value::F64(value)) => Raw::Fixed64(value.to_bits()),
        _ => return None,
    })
}

fn number_of(names: &Names, name: &str) -> Result<u64, Invalid> {
    let number = names.number(name);
    number.ok_or_else(|| Invalid::new(format!("has no case `{name}`")))
}

fn other_type(value: &Value) -> Invalid {
    Invalid::new(format!("is of another type: {value}"))
}
