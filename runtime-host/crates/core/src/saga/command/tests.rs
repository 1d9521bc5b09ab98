use super::{Command, Step};
use crate::value::Value;

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn some(value: Value) -> Option<Box<Value>> {
    Some(Box::new(value))
}

fn step(arguments: Vec<Value>) -> Step {
    Step {
        target: "payments".to_owned(),
        interface: "shop:payments/api@1.0.0".to_owned(),
        function: "capture".to_owned(),
        arguments,
    }
}

/// One of each type.
fn values() -> Vec<Value> {
    let name = |name: &str| name.to_owned();
    vec![
        Value::Bool(true),
        Value::S8(-8),
        Value::U8(8),
        Value::S16(-16),
        Value::U16(16),
        Value::S32(-32),
        Value::U32(32),
        Value::S64(i64::MIN),
        Value::U64(u64::MAX),
        Value::F32(1.5),
        Value::F64(-0.0),
        Value::Char('ü'),
        text("a \"quoted\"\nline"),
        Value::List(vec![Value::U8(1), Value::U8(2)]),
        Value::List(Vec::new()),
        Value::Record(vec![
            (name("amount"), Value::U64(100)),
            (name("currency"), Value::Enum(name("eur"))),
        ]),
        Value::Tuple(vec![Value::Bool(false), text("")]),
        Value::Variant(name("card"), some(text("4242"))),
        Value::Variant(name("cash"), None),
        Value::Option(None),
        Value::Option(some(Value::Option(None))),
        Value::Result(Ok(None)),
        Value::Result(Err(some(Value::Enum(name("refused"))))),
        Value::Flags(vec![name("read"), name("write")]),
    ]
}

#[test]
fn values_are_told_in_the_notation_of_the_component_model() {
    let lines: Vec<_> = values().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    true
    -8
    8
    -16
    16
    -32
    32
    -9223372036854775808
    18446744073709551615
    1.5
    -0
    'ü'
    "a \"quoted\"\nline"
    [1, 2]
    []
    {amount: 100, currency: eur}
    (false, "")
    card("4242")
    cash
    none
    some(none)
    ok
    err(refused)
    {read, write}
    "#);
}

#[test]
fn commands_are_told_in_words() {
    let (signal, name) = ("paid".to_owned(), "order".to_owned());
    let commands = [
        Command::Step(step(vec![text("tok_1"), Value::Option(None)])),
        Command::Step(step(Vec::new())),
        Command::Sleep { milliseconds: 500 },
        Command::Wait {
            signal: signal.clone(),
            timeout_ms: None,
        },
        Command::Wait {
            signal,
            timeout_ms: Some(1_000),
        },
        Command::Open { name },
        Command::Register {
            scope: 3,
            undo: step(vec![text("tok_1")]),
        },
        Command::Commit { scope: 3 },
        Command::Rollback {
            scope: 3,
            reason: "out of stock".to_owned(),
        },
        Command::Status {
            text: "paying".to_owned(),
        },
        Command::Patch {
            id: "gift-wrap".to_owned(),
        },
    ];
    let lines: Vec<_> = commands.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    shop:payments/api@1.0.0.capture("tok_1", none)
    shop:payments/api@1.0.0.capture()
    sleep 500 ms
    wait for signal "paid"
    wait for signal "paid", 1 s at most
    open scope "order"
    undo of scope 3: shop:payments/api@1.0.0.capture("tok_1")
    commit scope 3
    roll back scope 3: out of stock
    status "paying"
    patch "gift-wrap"
    "#);
}

#[test]
fn long_arguments_are_cut_between_letters() {
    let step = step(vec![text(&"ü".repeat(200))]);
    let (cut, whole) = (step.to_string(), format!("{step:#}"));
    insta::assert_snapshot!(cut.replace(&"ü".repeat(90), "<90>"), @r#"shop:payments/api@1.0.0.capture("<90>üüüüüüüüü…)"#);
    insta::assert_snapshot!(whole.replace(&"ü".repeat(90), "<90>"), @r#"payments: shop:payments/api@1.0.0.capture("<90><90>üüüüüüüüüüüüüüüüüüüü")"#);
}

#[test]
fn commands_are_the_same_to_the_bit() {
    let with = |value: f64| Command::Step(step(vec![Value::F64(value)]));
    assert!(with(f64::NAN).is_same(&with(f64::NAN)));
    assert!(!with(f64::NAN).is_same(&with(-f64::NAN)));
    assert!(with(0.0).is_same(&with(0.0)));
    assert!(!with(0.0).is_same(&with(-0.0)));
    assert!(!with(1.0).is_same(&Command::Sleep { milliseconds: 1 }));
}
