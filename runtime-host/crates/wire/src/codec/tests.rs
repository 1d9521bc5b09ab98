use proptest::{collection::vec, prelude::*, sample::subsequence};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use skald_core::value::Value;

use super::{decode, decode::Decoder, encode, encode_arguments};
use crate::{contract::Contracts, testing::contracts};

/// A WIT type.
#[derive(Clone, Debug)]
enum Ty {
    Plain(&'static str),
    List(Box<Ty>),
    Option(Box<Ty>),
    Tuple(Vec<Ty>),
    Result(Option<Box<Ty>>, Option<Box<Ty>>),
    Record(Vec<Ty>),
    Variant(Vec<Option<Ty>>),
    Enum(usize),
    Flags(usize),
}

const PLAIN: [&str; 13] = [
    "bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string",
];

fn any_type() -> impl Strategy<Value = Ty> {
    let leaf = prop_oneof![
        4 => proptest::sample::select(PLAIN.to_vec()).prop_map(Ty::Plain),
        1 => (1..5_usize).prop_map(Ty::Enum),
        1 => (1..5_usize).prop_map(Ty::Flags),
        1 => Just(Ty::List(Box::new(Ty::Plain("u8")))),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let maybe = proptest::option::of(boxed.clone());
        prop_oneof![
            boxed.clone().prop_map(Ty::List),
            boxed.prop_map(Ty::Option),
            vec(inner.clone(), 1..4).prop_map(Ty::Tuple),
            vec(inner.clone(), 1..4).prop_map(Ty::Record),
            vec(proptest::option::of(inner), 1..4).prop_map(Ty::Variant),
            (maybe.clone(), maybe).prop_map(|(ok, err)| Ty::Result(ok, err)),
        ]
    })
}

/// The type as WIT; types that need a name are declared first.
fn wit(ty: &Ty, declared: &mut Vec<String>) -> String {
    let declare = |kind: &str, parts: Vec<String>, declared: &mut Vec<String>| {
        let name = format!("t{}", declared.len());
        declared.push(format!("{kind} {name} {{ {} }}", parts.join(", ")));
        name
    };
    let parts = |tys: &[Ty], declared: &mut Vec<String>| {
        tys.iter().map(|ty| wit(ty, declared)).collect::<Vec<_>>()
    };
    let names = |count: &usize| (0..*count).map(|n| format!("n{n}")).collect::<Vec<_>>();
    match ty {
        Ty::Plain(name) => (*name).to_owned(),
        Ty::List(inner) => format!("list<{}>", wit(inner, declared)),
        Ty::Option(inner) => format!("option<{}>", wit(inner, declared)),
        Ty::Tuple(tys) => format!("tuple<{}>", parts(tys, declared).join(", ")),
        Ty::Result(ok, err) => {
            let ok = ok.as_ref().map(|ty| wit(ty, declared));
            let err = err.as_ref().map(|ty| wit(ty, declared));
            match (ok, err) {
                (None, None) => "result".to_owned(),
                (Some(ok), None) => format!("result<{ok}>"),
                (ok, Some(err)) => format!("result<{}, {err}>", ok.as_deref().unwrap_or("_")),
            }
        }
        Ty::Record(tys) => {
            let parts = parts(tys, declared).into_iter().enumerate();
            let parts = parts.map(|(n, ty)| format!("f{n}: {ty}")).collect();
            declare("record", parts, declared)
        }
        Ty::Variant(tys) => {
            let case = |(n, ty): (usize, &Option<Ty>)| match ty {
                Some(ty) => format!("c{n}({})", wit(ty, declared)),
                None => format!("c{n}"),
            };
            let parts = tys.iter().enumerate().map(case).collect();
            declare("variant", parts, declared)
        }
        Ty::Enum(count) => declare("enum", names(count), declared),
        Ty::Flags(count) => declare("flags", names(count), declared),
    }
}

fn value(ty: &Ty) -> BoxedStrategy<Value> {
    match ty {
        Ty::Plain(name) => plain(name),
        Ty::List(inner) => vec(value(inner), 0..4).prop_map(Value::List).boxed(),
        Ty::Option(inner) => boxed(value(inner), Value::Option),
        Ty::Tuple(tys) => tys
            .iter()
            .map(value)
            .collect::<Vec<_>>()
            .prop_map(Value::Tuple)
            .boxed(),
        Ty::Result(ok, err) => {
            let ok = payload(ok.as_deref()).prop_map(|ok| Value::Result(Ok(ok)));
            let err = payload(err.as_deref()).prop_map(|err| Value::Result(Err(err)));
            prop_oneof![ok, err].boxed()
        }
        Ty::Record(tys) => {
            let named = |values: Vec<Value>| {
                let fields = values.into_iter().enumerate();
                Value::Record(fields.map(|(n, value)| (format!("f{n}"), value)).collect())
            };
            tys.iter()
                .map(value)
                .collect::<Vec<_>>()
                .prop_map(named)
                .boxed()
        }
        Ty::Variant(tys) => {
            let case = |(n, ty): (usize, &Option<Ty>)| {
                payload(ty.as_ref())
                    .prop_map(move |value| Value::Variant(format!("c{n}"), value))
                    .boxed()
            };
            proptest::strategy::Union::new(tys.iter().enumerate().map(case)).boxed()
        }
        Ty::Enum(count) => (0..*count)
            .prop_map(|n| Value::Enum(format!("n{n}")))
            .boxed(),
        Ty::Flags(count) => {
            let names: Vec<_> = (0..*count).map(|n| format!("n{n}")).collect();
            subsequence(names, 0..=*count)
                .prop_map(Value::Flags)
                .boxed()
        }
    }
}

fn boxed(
    inner: BoxedStrategy<Value>,
    make: fn(Option<Box<Value>>) -> Value,
) -> BoxedStrategy<Value> {
    proptest::option::of(inner.prop_map(Box::new))
        .prop_map(make)
        .boxed()
}

fn payload(ty: Option<&Ty>) -> BoxedStrategy<Option<Box<Value>>> {
    match ty {
        Some(ty) => value(ty).prop_map(|value| Some(Box::new(value))).boxed(),
        None => Just(None).boxed(),
    }
}

fn plain(name: &str) -> BoxedStrategy<Value> {
    // Bits, so that every NaN is among them.
    match name {
        "bool" => any::<bool>().prop_map(Value::Bool).boxed(),
        "s8" => any::<i8>().prop_map(Value::S8).boxed(),
        "u8" => any::<u8>().prop_map(Value::U8).boxed(),
        "s16" => any::<i16>().prop_map(Value::S16).boxed(),
        "u16" => any::<u16>().prop_map(Value::U16).boxed(),
        "s32" => any::<i32>().prop_map(Value::S32).boxed(),
        "u32" => any::<u32>().prop_map(Value::U32).boxed(),
        "s64" => any::<i64>().prop_map(Value::S64).boxed(),
        "u64" => any::<u64>().prop_map(Value::U64).boxed(),
        "f32" => any::<u32>()
            .prop_map(|bits| Value::F32(f32::from_bits(bits)))
            .boxed(),
        "f64" => any::<u64>()
            .prop_map(|bits| Value::F64(f64::from_bits(bits)))
            .boxed(),
        "char" => any::<char>().prop_map(Value::Char).boxed(),
        _ => any::<String>().prop_map(Value::String).boxed(),
    }
}

fn contract(parameters: &[Ty], result: &Ty) -> Contracts {
    let mut declared = Vec::new();
    let parameters = parameters.iter().enumerate();
    let parameters: Vec<_> = parameters
        .map(|(n, ty)| format!("p{n}: {}", wit(ty, &mut declared)))
        .collect();
    let result = wit(result, &mut declared);
    let declared = declared.join("\n");
    let function = format!("f: func({}) -> {result};", parameters.join(", "));
    let text = format!(
        "package a:b@1.0.0; interface api {{ {declared}\n {function} }} world w {{ export api; }}"
    );
    contracts(&[("c", &text)])
}

/// The same bytes, read and written by another implementation that only knows the descriptors.
fn retold(contracts: &Contracts, message: &str, bytes: &[u8]) -> Vec<u8> {
    let set = prost_types::FileDescriptorSet {
        file: contracts.files.clone(),
    };
    let pool = DescriptorPool::decode(set.encode_to_vec().as_slice()).unwrap();
    let message = pool.get_message_by_name(message).unwrap();
    let message = DynamicMessage::decode(message, bytes).unwrap();
    assert_eq!(message.unknown_fields().count(), 0);
    message.encode_to_vec()
}

fn case() -> impl Strategy<Value = (Vec<Ty>, Ty, Vec<Value>, Value)> {
    (vec(any_type(), 0..4), any_type()).prop_flat_map(|(parameters, result)| {
        let arguments = parameters.iter().map(value).collect::<Vec<_>>();
        let answer = value(&result);
        (Just(parameters), Just(result), arguments, answer)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_value_of_every_type_comes_back_as_it_was((parameters, result, arguments, answer) in case()) {
        let contracts = contract(&parameters, &result);
        prop_assert_eq!(contracts.left_out(), &[]);
        let method = contracts.function("a:b/api@1.0.0", "f").unwrap();
        let request = encode_arguments(&method.request, &arguments).unwrap();
        let response = encode(&method.response, &answer).unwrap();
        for (message, bytes, wanted) in [
            (&method.request, &request, &Value::Tuple(arguments)),
            (&method.response, &response, &answer),
        ] {
            let read = decode(message, bytes).unwrap();
            // In words, since a NaN is not equal to itself, and in bytes, since words do not tell NaNs apart.
            prop_assert_eq!(format!("{read:?}"), format!("{wanted:?}"));
            prop_assert_eq!(&encode(message, &read).unwrap(), bytes);
            let retold = retold(&contracts, &message.name, bytes);
            // The other one takes -0.0 for a field that need not be sent.
            if !format!("{wanted:?}").contains("-0.0") {
                let read = decode(message, &retold).unwrap();
                prop_assert_eq!(&encode(message, &read).unwrap(), bytes);
            }
        }
    }

    #[test]
    fn no_bytes_make_it_fail_otherwise_than_with_an_error(ty in any_type(), bytes in vec(any::<u8>(), 0..64)) {
        let contracts = contract(&[], &ty);
        let method = contracts.function("a:b/api@1.0.0", "f").unwrap();
        if let Ok(read) = decode(&method.response, &bytes) {
            let written = encode(&method.response, &read).unwrap();
            let again = decode(&method.response, &written).unwrap();
            prop_assert_eq!(format!("{again:?}"), format!("{read:?}"));
        }
    }
}

const SHOP: &str = "
    package a:b@1.0.0;
    interface api {
        enum unit { piece, metre }
        record line { sku: string, quantity: u8, unit: unit }
        variant pay { cash, card(string), split(list<u32>) }
        f: func(lines: list<line>, pay: pay, initial: char);
    }
    world w { export api; }";

/// What is wrong with these bytes as a request.
fn complaint(bytes: &[u8]) -> String {
    let contracts = contracts(&[("c", SHOP)]);
    let method = contracts.function("a:b/api@1.0.0", "f").unwrap();
    decode(&method.request, bytes).unwrap_err().to_string()
}

#[test]
fn a_mistake_is_told_with_the_path_to_it() {
    const PAY: [u8; 4] = [0x12, 2, 0x0a, 0];
    let line = |line: &[u8]| [&[0x0a, u8::try_from(line.len()).unwrap()], line].concat();
    let good = line(&[0x18, 1]);
    let said = [
        complaint(&[]),
        complaint(&PAY),
        complaint(&[0x12, 0]),
        complaint(&[good.clone(), line(&[0x10, 0xac, 0x02, 0x18, 1])].concat()),
        complaint(&[good, line(&[0x10, 1])].concat()),
        complaint(&line(&[0x18, 7])),
        complaint(&line(&[0x0a, 1, 0xff, 0x18, 1])),
        complaint(&line(&[0x08, 1])),
        complaint(&[&PAY[..], &[0x1a, 2, b'a', b'b']].concat()),
        complaint(&[0x12, 4, 0x1a, 2, 0x08, 1, 0x1a, 9]),
        complaint(&[0x0a, 9]),
        complaint(&[0x0b]),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    `pay` is missing
    `initial` is missing
    `pay` has none of cash, card, split
    `lines[1].quantity` is 300, which is no u8
    `lines[1].unit` is missing
    `lines[0].unit` has no case with the number 7
    `lines[0].sku` is not UTF-8
    `lines[0].sku` is encoded as another type
    `initial` is not exactly one character
    the message is cut off or no message at all
    the message is cut off or no message at all
    the message is cut off or no message at all
    ");
}

#[test]
fn what_comes_in_pieces_or_from_a_newer_contract_is_understood() {
    let contracts = contracts(&[("c", SHOP)]);
    let method = contracts.function("a:b/api@1.0.0", "f").unwrap();
    // A variant sent twice: the last case counts, and its pieces are joined. Field 9 is nobody's.
    let pieces = [
        0x12, 2, 0x0a, 0, 0x12, 5, 0x1a, 3, 0x0a, 1, 7, 0x12, 4, 0x1a, 2, 0x08, 8, 0x48, 1, 0x1a,
        1, b'x',
    ];
    let read = decode(&method.request, &pieces).unwrap();
    insta::assert_snapshot!(read, @"([], split([7, 8]), 'x')");
}

#[test]
fn a_short_message_of_very_many_values_is_refused() {
    let text = "package a:b@1.0.0; interface api { record r { a: u8 } f: func(r: list<r>, raw: list<u8>); }
                world w { export api; }";
    let contracts = contracts(&[("c", text)]);
    let method = contracts.function("a:b/api@1.0.0", "f").unwrap();
    let complaint = |bytes: &[u8]| {
        let decoded = Decoder::new(100).message(&method.request, bytes);
        decoded.unwrap_err().to_string()
    };
    let records = complaint(&[0x0a, 0].repeat(100));
    assert_eq!(records, "`r[99]` has more values than a message may have");
    let bytes = complaint(&[&[0x12, 100][..], &[0; 100]].concat());
    assert_eq!(bytes, "`raw` has more values than a message may have");
}

#[test]
fn a_value_of_another_type_is_not_sent() {
    let contracts = contracts(&[("c", SHOP)]);
    let method = contracts.function("a:b/api@1.0.0", "f").unwrap();
    let arguments = [
        Value::List(vec![Value::U8(1)]),
        Value::Variant("cash".to_owned(), None),
        Value::Char('x'),
    ];
    let error = encode_arguments(&method.request, &arguments).unwrap_err();
    assert_eq!(error.to_string(), "`lines[0]` is of another type: 1");
}
