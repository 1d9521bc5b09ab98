//! Whatever the types of a contract, its companions take and give the same ones.

use proptest::prelude::*;
use wit_parser::{Function, Interface, Resolve, Type, TypeDefKind};

use super::{of, together};

/// Names that types of the contract may have; the first ones are those that cause trouble.
const NAMES: [&str; 8] = [
    "ticket",
    "scope",
    "record",
    "pay-result",
    "find-result",
    "error",
    "result",
    "lines",
];

/// A type as it is written, where types with an index below the number given are known.
fn written(known: usize) -> BoxedStrategy<String> {
    const WORDS: [&str; 9] = [
        "bool", "u8", "s16", "u32", "s64", "f32", "f64", "char", "string",
    ];
    let word = prop::sample::select(&WORDS[..]).prop_map(str::to_owned);
    let leaf = if known == 0 {
        word.boxed()
    } else {
        let named = (0..known).prop_map(|index| format!("%{}", NAMES[index]));
        prop_oneof![word, named].boxed()
    };
    let nested = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|ty| format!("list<{ty}>")),
            inner.clone().prop_map(|ty| format!("option<{ty}>")),
            prop::collection::vec(inner.clone(), 1..4)
                .prop_map(|types| format!("tuple<{}>", types.join(", "))),
            inner.clone().prop_map(|ok| format!("result<{ok}>")),
            inner.clone().prop_map(|err| format!("result<_, {err}>")),
            (inner.clone(), inner).prop_map(|(ok, err)| format!("result<{ok}, {err}>")),
            Just("result".to_owned()),
        ]
    });
    nested.boxed()
}

/// The definition of the type with this index, of types before it.
fn definition(index: usize) -> impl Strategy<Value = String> {
    let name = NAMES[index];
    (0..6, prop::collection::vec(written(index), 1..4)).prop_map(move |(kind, types)| {
        let items = |item: fn(usize, &str) -> String| {
            let items = types.iter().enumerate().map(|(n, ty)| item(n, ty));
            items.collect::<Vec<_>>().join(", ")
        };
        match kind {
            0 => format!(
                "record %{name} {{ {} }}",
                items(|n, ty| format!("f{n}: {ty}"))
            ),
            1 => format!(
                "variant %{name} {{ none, {} }}",
                items(|n, ty| format!("c{n}({ty})"))
            ),
            2 => format!("enum %{name} {{ {} }}", items(|n, _| format!("e{n}"))),
            3 => format!("flags %{name} {{ {} }}", items(|n, _| format!("g{n}"))),
            _ => format!("type %{name} = {};", types[0]),
        }
    })
}

fn function(name: &'static str) -> impl Strategy<Value = String> {
    let parameters = prop::collection::vec(written(NAMES.len()), 0..4);
    (parameters, prop::option::of(written(NAMES.len()))).prop_map(move |(types, result)| {
        let names = ["on", "of", "%type", "on-scope"];
        let parameters = types
            .iter()
            .zip(names)
            .map(|(ty, name)| format!("{name}: {ty}"));
        let parameters = parameters.collect::<Vec<_>>().join(", ");
        let result = result.map(|ty| format!(" -> {ty}")).unwrap_or_default();
        format!("%{name}: func({parameters}){result};")
    })
}

fn contract() -> impl Strategy<Value = String> {
    let types: Vec<_> = (0..NAMES.len())
        .map(|index| definition(index).boxed())
        .collect();
    (types, function("pay"), function("find"), function("import")).prop_map(|(types, a, b, c)| {
        format!(
            "package a:b@1.0.0; interface api {{ {} {a} {b} {c} }}",
            types.join("\n")
        )
    })
}

/// Whether two types are one, by whatever names.
fn same(resolve: &Resolve, one: Type, other: Type) -> bool {
    let (Type::Id(a), Type::Id(b)) = (resolved(resolve, one), resolved(resolve, other)) else {
        return resolved(resolve, one) == resolved(resolve, other);
    };
    let all = |a: Vec<Option<Type>>, b: Vec<Option<Type>>| {
        a.len() == b.len()
            && a.into_iter().zip(b).all(|pair| match pair {
                (Some(a), Some(b)) => same(resolve, a, b),
                (a, b) => a == b,
            })
    };
    let some = |types: &[Type]| types.iter().copied().map(Some).collect();
    a == b
        || match (&resolve.types[a].kind, &resolve.types[b].kind) {
            (TypeDefKind::List(a), TypeDefKind::List(b))
            | (TypeDefKind::Option(a), TypeDefKind::Option(b)) => same(resolve, *a, *b),
            (TypeDefKind::Tuple(a), TypeDefKind::Tuple(b)) => all(some(&a.types), some(&b.types)),
            (TypeDefKind::Result(a), TypeDefKind::Result(b)) => {
                all(vec![a.ok, a.err], vec![b.ok, b.err])
            }
            _ => false,
        }
}

/// A type behind all its names.
fn resolved(resolve: &Resolve, ty: Type) -> Type {
    match ty {
        Type::Id(id) => match resolve.types[id].kind {
            TypeDefKind::Type(ty) => resolved(resolve, ty),
            _ => ty,
        },
        word => word,
    }
}

fn interface<'a>(resolve: &'a Resolve, package: &str, name: &str) -> &'a Interface {
    let mut packages = resolve.packages.iter();
    let (_, package) = packages
        .find(|(_, found)| found.name.name == package)
        .unwrap();
    &resolve.interfaces[package.interfaces[name]]
}

fn parameters(function: &Function) -> Vec<(&str, Type)> {
    let parameters = function.params.iter();
    parameters
        .map(|parameter| (&*parameter.name, parameter.ty))
        .collect()
}

fn assert_same(resolve: &Resolve, one: &[(&str, Type)], other: &[(&str, Type)]) {
    assert_eq!(one.len(), other.len());
    for ((name, one), (other_name, other)) in one.iter().zip(other) {
        assert_eq!(name, other_name);
        assert!(same(resolve, *one, *other), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn companions_take_and_give_the_types_of_their_contract(contract in contract()) {
        let made = of(&contract).unwrap();
        let resolve = together(&contract, &made.text);
        let undo = interface(&resolve, "b-saga", "api-undo");
        let start = interface(&resolve, "b-saga", "api-start");
        let functions = &interface(&resolve, "b", "api").functions;
        prop_assert_eq!(undo.functions.len(), functions.len());
        prop_assert_eq!(start.functions.len(), functions.len() * 2);
        for (name, function) in functions {
            let of_undo = parameters(&undo.functions[name]);
            assert_same(&resolve, &of_undo[1..], &parameters(function));
            prop_assert!(undo.functions[name].result.is_none());
            assert_same(&resolve, &parameters(&start.functions[name]), &parameters(function));
            let result = &start.functions[&format!("{name}-result")];
            prop_assert_eq!(parameters(result).len(), 1);
            match (result.result, function.result) {
                (Some(one), Some(other)) => prop_assert!(same(&resolve, one, other)),
                (one, other) => prop_assert_eq!(one, other),
            }
        }
    }
}
