use prost::Message as _;
use prost_reflect::DescriptorPool;

use super::*;
use crate::testing::{contracts, wasm};

const PAYMENTS: &str = "
    package shop:payments@1.2.3;
    interface types { record money { amount: u64, currency: string } }
    interface api {
        use types.{money};
        enum status { held, taken }
        flags rights { see, refund }
        variant error { declined(string), unknown-order, limits(list<u32>) }
        record receipt {
            id: string, total: money, note: option<string>, tip: option<money>, status: status, rights: rights,
            raw: list<u8>, lines: list<tuple<string, u32>>, grid: list<list<f64>>, maybe: option<option<char>>,
            past: list<status>, outcome: result<u8>,
        }
        type receipts = list<receipt>;
        capture: func(order-id: string, amount: s64) -> result<receipt, error>;
        find: func(query: receipts) -> option<receipt>;
        count: func() -> u32;
        ping: func();
    }
    world w { export api; }";

fn proto(contracts: &Contracts) -> String {
    let files = contracts.protos();
    let files = files
        .iter()
        .map(|(path, text)| format!("// {path}\n{text}"));
    files.collect::<Vec<_>>().join("\n")
}

/// The protocol's own rules for descriptors, as another implementation checks them.
fn pool(contracts: &Contracts) -> DescriptorPool {
    let set = prost_types::FileDescriptorSet {
        file: contracts.files.clone(),
    };
    DescriptorPool::decode(set.encode_to_vec().as_slice()).unwrap()
}

fn left_out(contracts: &Contracts) -> String {
    let lines = contracts.left_out().iter().map(LeftOut::to_string);
    lines.collect::<Vec<_>>().join("\n")
}

/// Some declarations of the only file.
fn declared(contracts: &Contracts, names: &[&str]) -> String {
    let text = contracts.protos().into_values().next().unwrap();
    let declarations = text.split("\n\n");
    let is_wanted = |text: &&str| {
        let name = text.split_whitespace().nth(1);
        name.is_some_and(|name| names.contains(&name))
    };
    let declarations: Vec<_> = declarations.filter(is_wanted).map(str::trim_end).collect();
    declarations.join("\n\n")
}

#[test]
fn a_contract_becomes_a_service_with_messages() {
    let contracts = contracts(&[("payments", PAYMENTS)]);
    pool(&contracts);
    assert_eq!(left_out(&contracts), "");
    assert!(contracts.protos().contains_key("shop/payments/v1.proto"));
    let names = [
        "Api",
        "CaptureRequest",
        "CaptureResponse",
        "CountResponse",
        "FindResponse",
        "PingResponse",
    ];
    insta::assert_snapshot!(declared(&contracts, &names), @r"
    service Api {
      rpc Capture(.shop.payments.v1.CaptureRequest) returns (.shop.payments.v1.CaptureResponse);
      rpc Find(.shop.payments.v1.FindRequest) returns (.shop.payments.v1.FindResponse);
      rpc Count(.shop.payments.v1.CountRequest) returns (.shop.payments.v1.CountResponse);
      rpc Ping(.shop.payments.v1.PingRequest) returns (.shop.payments.v1.PingResponse);
    }

    message CaptureRequest {
      string order_id = 1;
      sint64 amount = 2;
    }

    message CaptureResponse {
      oneof result {
        .shop.payments.v1.Receipt ok = 1;
        .shop.payments.v1.Error err = 2;
      }
    }

    message CountResponse {
      uint32 result = 1;
    }

    message FindResponse {
      .shop.payments.v1.Receipt result = 1;
    }

    message PingResponse {}
    ");
}

#[test]
fn every_kind_of_type_has_a_form() {
    let contracts = contracts(&[("payments", PAYMENTS)]);
    let names = ["Receipt", "Error", "Rights", "TypesMoney"];
    insta::assert_snapshot!(declared(&contracts, &names), @r"
    message Error {
      message Limits {
        repeated uint32 value = 1;
      }
      oneof kind {
        string declined = 1;
        .google.protobuf.Empty unknown_order = 2;
        .shop.payments.v1.Error.Limits limits = 3;
      }
    }

    message Receipt {
      message Lines {
        string v0 = 1;
        uint32 v1 = 2;
      }
      message Grid {
        repeated double value = 1;
      }
      message Maybe {
        optional string value = 1;
      }
      message Outcome {
        oneof result {
          uint32 ok = 1;
          .google.protobuf.Empty err = 2;
        }
      }
      string id = 1;
      .shop.payments.v1.TypesMoney total = 2;
      optional string note = 3;
      .shop.payments.v1.TypesMoney tip = 4;
      .shop.payments.v1.Status status = 5;
      repeated .shop.payments.v1.Rights rights = 6;
      bytes raw = 7;
      repeated .shop.payments.v1.Receipt.Lines lines = 8;
      repeated .shop.payments.v1.Receipt.Grid grid = 9;
      .shop.payments.v1.Receipt.Maybe maybe = 10;
      repeated .shop.payments.v1.Status past = 11;
      .shop.payments.v1.Receipt.Outcome outcome = 12;
    }

    message TypesMoney {
      uint64 amount = 1;
      string currency = 2;
    }

    enum Rights {
      RIGHTS_UNSPECIFIED = 0;
      RIGHTS_SEE = 1;
      RIGHTS_REFUND = 2;
    }
    ");
}

#[test]
fn the_binary_of_a_component_says_the_same_as_its_wit() {
    let from_wit = contracts(&[("payments", PAYMENTS)]);
    let components = [(ComponentId::from("payments"), wasm(PAYMENTS))];
    let from_wasm = Contracts::read(&components).unwrap();
    assert_eq!(proto(&from_wasm), proto(&from_wit));
    let digest = |contracts: &Contracts| {
        let method = contracts.function("shop:payments/api@1.2.3", "capture");
        method.unwrap().digest.clone()
    };
    assert_eq!(digest(&from_wasm), digest(&from_wit));
}

#[test]
fn what_is_no_component_is_told_so() {
    let error = Contracts::read(&[(ComponentId::from("cart"), b"\0asm")]).unwrap_err();
    insta::assert_snapshot!(error, @"the contracts of cart cannot be read from its file: unexpected end-of-file (at offset 0x4)");
}

#[test]
fn what_cannot_be_sent_is_left_out_with_a_reason() {
    let contracts = contracts(&[(
        "odd",
        "package a:odd@0.1.0;
         interface api {
             resource file { read: func() -> string; }
             open: func(path: string) -> file;
             later: async func();
             feed: func() -> stream<u8>;
             soon: func() -> future<u32>;
             fixed: func(key: list<u8, 4>);
             good: func();
             record good-request { a: u8 }
             bad: func(request: good-request);
             record twins { a1: u8, a-1: u8 }
             twin: func(twins: twins);
         }
         world w { export api; export free: func(); export inline: interface { f: func(); } }",
    )]);
    pool(&contracts);
    insta::assert_snapshot!(left_out(&contracts), @r"
    free of odd is left out: it is exported outside of an interface
    inline#f of odd is left out: its interface is in no package
    a:odd/api@0.1.0#[method]file.read of odd is left out: it belongs to a resource
    a:odd/api@0.1.0#open of odd is left out: it passes a resource
    a:odd/api@0.1.0#later of odd is left out: it is async
    a:odd/api@0.1.0#feed of odd is left out: it passes a stream
    a:odd/api@0.1.0#soon of odd is left out: it passes a future
    a:odd/api@0.1.0#fixed of odd is left out: it passes a list of fixed length
    a:odd/api@0.1.0#bad of odd is left out: two things would be called a.odd.v0_1.GoodRequest
    a:odd/api@0.1.0#twin of odd is left out: two things would be called a.odd.v0_1.Twins.A1
    ");
    assert_eq!(
        contracts.services().into_iter().collect::<Vec<_>>(),
        ["a.odd.v0_1.Api"]
    );
}

#[test]
fn interfaces_of_the_host_are_no_contracts() {
    let contracts = contracts(&[(
        "job",
        "package wasi:cli@0.2.0; interface run { run: func() -> result; } world w { export run; }",
    )]);
    assert!(contracts.services().is_empty());
    assert_eq!(left_out(&contracts), "");
}

#[test]
fn compatible_versions_are_one_service_and_others_are_not() {
    let version = |version: &str, functions: &str| {
        format!("package a:b@{version}; interface api {{ {functions} }} world w {{ export api; }}")
    };
    let old = version("1.0.0", "f: func(x: u8);");
    let new = version("1.4.0", "f: func(x: u8); g: func();");
    let next = version("2.0.0", "f: func(x: string);");
    let all = contracts(&[("old", &old), ("new", &new), ("next", &next)]);
    pool(&all);
    assert_eq!(left_out(&all), "");
    assert_eq!(
        all.services().into_iter().collect::<Vec<_>>(),
        ["a.b.v1.Api", "a.b.v2.Api"]
    );
    // Who knows 1.1.0 only can still ask either.
    let method = all.function("a:b/api@1.1.0", "f").unwrap();
    let providers = method.providers.iter();
    let providers: Vec<_> = providers
        .map(|(id, f)| format!("{id} {}", f.interface))
        .collect();
    assert_eq!(providers, ["new a:b/api@1.4.0", "old a:b/api@1.0.0"]);
}

#[test]
fn who_says_something_else_under_the_same_name_is_left_out() {
    let text = |ty: &str, version: &str| {
        format!(
            "package a:b@{version}; interface api {{ f: func(x: {ty}); }} world w {{ export api; }}"
        )
    };
    let (newer, older) = (text("u8", "1.1.0"), text("string", "1.0.0"));
    let contracts = contracts(&[("older", &older), ("newer", &newer)]);
    insta::assert_snapshot!(left_out(&contracts), @"a:b/api@1.0.0#f of older is left out: two things would be called a.b.v1.FRequest");
    let method = contracts.function("a:b/api@1.1.0", "f").unwrap();
    assert!(method.providers.contains_key("newer") && !method.providers.contains_key("older"));
}
