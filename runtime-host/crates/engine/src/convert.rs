//! Between the engine's values and the host's own, which other rooms may keep, compare and send.

use skald_core::value::Value;
use wasmtime::component::Val;

/// The host's form of a guest's value; none for a resource, stream or future, which cannot leave its instance.
pub(crate) fn from_guest(val: &Val) -> Option<Value> {
    Some(match val {
        Val::Bool(v) => Value::Bool(*v),
        Val::S8(v) => Value::S8(*v),
        Val::U8(v) => Value::U8(*v),
        Val::S16(v) => Value::S16(*v),
        Val::U16(v) => Value::U16(*v),
        Val::S32(v) => Value::S32(*v),
        Val::U32(v) => Value::U32(*v),
        Val::S64(v) => Value::S64(*v),
        Val::U64(v) => Value::U64(*v),
        Val::Float32(v) => Value::F32(*v),
        Val::Float64(v) => Value::F64(*v),
        Val::Char(v) => Value::Char(*v),
        Val::String(v) => Value::String(v.clone()),
        Val::List(v) => Value::List(v.iter().map(from_guest).collect::<Option<_>>()?),
        Val::Record(v) => Value::Record(
            v.iter()
                .map(|(name, field)| Some((name.clone(), from_guest(field)?)))
                .collect::<Option<_>>()?,
        ),
        Val::Tuple(v) => Value::Tuple(v.iter().map(from_guest).collect::<Option<_>>()?),
        Val::Variant(name, v) => Value::Variant(name.clone(), boxed_from(v.as_deref())?),
        Val::Enum(name) => Value::Enum(name.clone()),
        Val::Option(v) => Value::Option(boxed_from(v.as_deref())?),
        Val::Result(Ok(v)) => Value::Result(Ok(boxed_from(v.as_deref())?)),
        Val::Result(Err(v)) => Value::Result(Err(boxed_from(v.as_deref())?)),
        Val::Flags(names) => Value::Flags(names.clone()),
        Val::Map(_)
        | Val::FixedLengthList(_)
        | Val::Resource(_)
        | Val::Future(_)
        | Val::Stream(_)
        | Val::ErrorContext(_) => return None,
    })
}

/// The engine's form of a value.
pub(crate) fn to_guest(value: &Value) -> Val {
    match value {
        Value::Bool(v) => Val::Bool(*v),
        Value::S8(v) => Val::S8(*v),
        Value::U8(v) => Val::U8(*v),
        Value::S16(v) => Val::S16(*v),
        Value::U16(v) => Val::U16(*v),
        Value::S32(v) => Val::S32(*v),
        Value::U32(v) => Val::U32(*v),
        Value::S64(v) => Val::S64(*v),
        Value::U64(v) => Val::U64(*v),
        Value::F32(v) => Val::Float32(*v),
        Value::F64(v) => Val::Float64(*v),
        Value::Char(v) => Val::Char(*v),
        Value::String(v) => Val::String(v.clone()),
        Value::List(v) => Val::List(v.iter().map(to_guest).collect()),
        Value::Record(v) => Val::Record(
            v.iter()
                .map(|(name, field)| (name.clone(), to_guest(field)))
                .collect(),
        ),
        Value::Tuple(v) => Val::Tuple(v.iter().map(to_guest).collect()),
        Value::Variant(name, v) => Val::Variant(name.clone(), boxed_to(v.as_deref())),
        Value::Enum(name) => Val::Enum(name.clone()),
        Value::Option(v) => Val::Option(boxed_to(v.as_deref())),
        Value::Result(Ok(v)) => Val::Result(Ok(boxed_to(v.as_deref()))),
        Value::Result(Err(v)) => Val::Result(Err(boxed_to(v.as_deref()))),
        Value::Flags(names) => Val::Flags(names.clone()),
    }
}

fn boxed_from(val: Option<&Val>) -> Option<Option<Box<Value>>> {
    match val {
        None => Some(None),
        Some(val) => Some(Some(Box::new(from_guest(val)?))),
    }
}

fn boxed_to(value: Option<&Value>) -> Option<Box<Val>> {
    value.map(|value| Box::new(to_guest(value)))
}
