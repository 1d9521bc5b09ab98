//! Which functions a saga can call: those whose arguments and answers can be written into a journal.

use std::fmt;

use wit_parser::{Function, Resolve, Type, TypeDefKind, TypeId};

use crate::resolved;

/// Why a function is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Async,
    OfResource,
    Passes(&'static str),
}

/// The reason to leave `function` out, if there is one.
pub(crate) fn left_out(resolve: &Resolve, function: &Function) -> Option<Reason> {
    if function.kind.resource().is_some() {
        return Some(Reason::OfResource);
    }
    if function.kind.is_async() {
        return Some(Reason::Async);
    }
    let mut types = function.parameter_and_result_types();
    types
        .find_map(|ty| obstacle(resolve, &ty))
        .map(Reason::Passes)
}

// === impl Reason ===

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Async => f.write_str("is async"),
            Self::OfResource => f.write_str("belongs to a resource"),
            Self::Passes(what) => write!(f, "passes {what}"),
        }
    }
}

/// What in this type the host cannot carry between components.
fn obstacle(resolve: &Resolve, ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Id(id) => obstacle_within(resolve, *id),
        Type::ErrorContext => Some("an error-context"),
        Type::Bool
        | Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::S8
        | Type::S16
        | Type::S32
        | Type::S64
        | Type::F32
        | Type::F64
        | Type::Char
        | Type::String => None,
    }
}

fn obstacle_within(resolve: &Resolve, id: TypeId) -> Option<&'static str> {
    let inside = |ty: &Type| obstacle(resolve, ty);
    match &resolved::definition(resolve, id).kind {
        TypeDefKind::Resource | TypeDefKind::Handle(_) => Some("a resource"),
        TypeDefKind::Future(_) => Some("a future"),
        TypeDefKind::Stream(_) => Some("a stream"),
        TypeDefKind::Map(..) => Some("a map"),
        TypeDefKind::FixedLengthList(..) => Some("a list of fixed length"),
        TypeDefKind::Unknown => Some("a type that is not known"),
        TypeDefKind::Type(ty) | TypeDefKind::Option(ty) | TypeDefKind::List(ty) => inside(ty),
        TypeDefKind::Record(record) => record.fields.iter().find_map(|field| inside(&field.ty)),
        TypeDefKind::Tuple(tuple) => tuple.types.iter().find_map(inside),
        TypeDefKind::Variant(variant) => {
            let payloads = variant.cases.iter().filter_map(|case| case.ty.as_ref());
            payloads.into_iter().find_map(inside)
        }
        TypeDefKind::Result(result) => [&result.ok, &result.err]
            .into_iter()
            .flatten()
            .find_map(inside),
        TypeDefKind::Flags(_) | TypeDefKind::Enum(_) => None,
    }
}
