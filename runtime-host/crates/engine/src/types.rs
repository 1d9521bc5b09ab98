//! Types of contracts in words, so that a mismatch can be seen and not only stated.

use wasmtime::component::types::{self, ComponentFunc, Type};

/// A function's type as WIT would write it.
pub(crate) fn signature(ty: &ComponentFunc) -> String {
    let params: Vec<String> = ty
        .params()
        .map(|(name, ty)| format!("{name}: {}", wit(&ty)))
        .collect();
    let result = ty
        .results()
        .next()
        .map(|ty| format!(" -> {}", wit(&ty)))
        .unwrap_or_default();
    let kind = if ty.async_() { "async func" } else { "func" };
    format!("{kind}({}){result}", params.join(", "))
}

/// Whether a caller's idea of a function is the callee's.
pub(crate) fn same(import: &ComponentFunc, export: &ComponentFunc) -> bool {
    import.params().eq(export.params()) && import.results().eq(export.results())
}

/// Whether every value of the function can leave its instance.
pub(crate) fn is_plain_data(ty: &ComponentFunc) -> bool {
    ty.params().all(|(_, ty)| plain(&ty)) && ty.results().all(|ty| plain(&ty))
}

fn plain(ty: &Type) -> bool {
    match ty {
        Type::Own(_)
        | Type::Borrow(_)
        | Type::Future(_)
        | Type::Stream(_)
        | Type::ErrorContext
        | Type::Map(_)
        | Type::FixedLengthList(_) => false,
        Type::List(list) => plain(&list.ty()),
        Type::Record(record) => record.fields().all(|field| plain(&field.ty)),
        Type::Tuple(tuple) => tuple.types().all(|ty| plain(&ty)),
        Type::Variant(variant) => variant
            .cases()
            .all(|case| case.ty.is_none_or(|ty| plain(&ty))),
        Type::Option(option) => plain(&option.ty()),
        Type::Result(result) => [result.ok(), result.err()]
            .into_iter()
            .flatten()
            .all(|ty| plain(&ty)),
        Type::Bool
        | Type::S8
        | Type::U8
        | Type::S16
        | Type::U16
        | Type::S32
        | Type::U32
        | Type::S64
        | Type::U64
        | Type::Float32
        | Type::Float64
        | Type::Char
        | Type::String
        | Type::Enum(_)
        | Type::Flags(_) => true,
    }
}

fn wit(ty: &Type) -> String {
    match ty {
        Type::List(list) => format!("list<{}>", wit(&list.ty())),
        Type::FixedLengthList(list) => format!("list<{}, {}>", wit(&list.ty()), list.len()),
        Type::Map(map) => format!("map<{}, {}>", wit(&map.key()), wit(&map.value())),
        Type::Record(record) => {
            let field = |field: types::Field<'_>| format!("{}: {}", field.name, wit(&field.ty));
            braced("record", record.fields().map(field))
        }
        Type::Tuple(tuple) => {
            format!(
                "tuple<{}>",
                tuple
                    .types()
                    .map(|ty| wit(&ty))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        Type::Variant(variant) => braced("variant", variant.cases().map(case)),
        Type::Enum(names) => braced("enum", names.names().map(str::to_owned)),
        Type::Flags(flags) => braced("flags", flags.names().map(str::to_owned)),
        Type::Option(option) => format!("option<{}>", wit(&option.ty())),
        Type::Result(result) => {
            let side = |ty: Option<Type>| ty.map_or_else(|| "_".to_owned(), |ty| wit(&ty));
            format!("result<{}, {}>", side(result.ok()), side(result.err()))
        }
        other => word(other).to_owned(),
    }
}

fn case(case: types::Case<'_>) -> String {
    match case.ty {
        Some(ty) => format!("{}({})", case.name, wit(&ty)),
        None => case.name.to_owned(),
    }
}

/// Types that are one word.
const fn word(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::S8 => "s8",
        Type::U8 => "u8",
        Type::S16 => "s16",
        Type::U16 => "u16",
        Type::S32 => "s32",
        Type::U32 => "u32",
        Type::S64 => "s64",
        Type::U64 => "u64",
        Type::Float32 => "f32",
        Type::Float64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::Own(_) => "resource",
        Type::Borrow(_) => "borrow<resource>",
        Type::Future(_) => "future",
        Type::Stream(_) => "stream",
        Type::ErrorContext => "error-context",
        // Spelled out by their parts.
        _ => "…",
    }
}

fn braced(kind: &str, items: impl Iterator<Item = String>) -> String {
    format!("{kind} {{ {} }}", items.collect::<Vec<_>>().join(", "))
}
