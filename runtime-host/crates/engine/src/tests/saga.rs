//! Sagas written out in text: what they may import, their revisions, and the world they see from the first instruction.

use std::sync::Arc;

use skald_core::{
    call::{CallError, Reply},
    context::{Once, StepKey},
    manifest::ComponentId,
    run::Run,
    saga::{
        Command, Input, Record,
        play::{Part, Play, PlayError},
    },
    unit::Unit,
    value::Value,
};

use super::{
    CALLER, GUEST, World, request,
    stage::{Desk, Plan},
};
use crate::{Compiled, EngineError, Service};

/// Tells which step it is called for: twice the length of the key, and one more if it undoes; nothing is zero.
const CALLEE: &str = r#"
(component
  (import "skald:saga/caller@0.1.0" (instance $caller
    (type $t (record (field "run" string) (field "key" string) (field "undo" bool)))
    (export "call" (type $call (eq $t)))
    (export "current" (func (result (option $call))))))
  (core module $memory
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.add (global.get $next) (i32.const 256)))
      (global.get $next)))
  (core instance $m (instantiate $memory))
  (core func $current (canon lower (func $caller "current") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "caller" "current" (func $current (param i32)))
    (func (export "who") (result i32)
      (call $current (i32.const 0))
      (if (result i32) (i32.load8_u (i32.const 0))
        (then (i32.add (i32.mul (i32.const 2) (i32.load (i32.const 16))) (i32.load8_u (i32.const 20))))
        (else (i32.const 0)))))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "caller" (instance (export "current" (func $current))))))
  (func $who (result u32) (canon lift (core func $i "who")))
  (instance $api (export "who" (func $who)))
  (export "test:callee/api@1.0.0" (instance $api)))
"#;

/// Reads the clock and random numbers while it is instantiated, and once more when it is asked.
const EARLY: &str = r#"
(component
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))
  (import "wasi:random/random@0.2.0" (instance $random (export "get-random-u64" (func (result u64)))))
  (core func $now (canon lower (func $clock "now")))
  (core func $chance (canon lower (func $random "get-random-u64")))
  (core module $m
    (import "w" "now" (func $now (result i64)))
    (import "w" "chance" (func $chance (result i64)))
    (global $time (mut i64) (i64.const 0))
    (global $chance (mut i64) (i64.const 0))
    (func $start (global.set $time (call $now)) (global.set $chance (call $chance)))
    (start $start)
    (func (export "time") (result i64) (global.get $time))
    (func (export "chance") (result i64) (global.get $chance))
    (func (export "later") (result i64) (call $chance)))
  (core instance $i (instantiate $m (with "w" (instance (export "now" (func $now)) (export "chance" (func $chance))))))
  (func $time (result u64) (canon lift (core func $i "time")))
  (func $chance2 (result u64) (canon lift (core func $i "chance")))
  (func $later (result u64) (canon lift (core func $i "later")))
  (instance $api (export "time" (func $time)) (export "chance" (func $chance2)) (export "later" (func $later)))
  (export "test:early/api@1.0.0" (instance $api)))
"#;

/// Waits by a clock of WASI 0.2, or by one of 0.3.
const WAITING: [&str; 2] = [
    r#"
(component
  (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type $pollable (sub resource)))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p))
    (export "pollable" (type $q (eq $p)))
    (export "subscribe-instant" (func (param "when" u64) (result (own $q))))))
  (core func $wait (canon lower (func $clock "subscribe-instant")))
  (core module $m
    (import "w" "wait" (func $wait (param i64) (result i32)))
    (func (export "wait") (drop (call $wait (i64.const 0)))))
  (core instance $i (instantiate $m (with "w" (instance (export "wait" (func $wait))))))
  (func $wait2 (canon lift (core func $i "wait")))
  (instance $api (export "wait" (func $wait2)))
  (export "test:waiting/api@1.0.0" (instance $api)))
"#,
    r#"
(component
  (import "wasi:clocks/monotonic-clock@0.3.0" (instance $clock
    (export "wait-for" (func async (param "how-long" u64)))))
  (core func $wait (canon lower (func $clock "wait-for")))
  (core module $m
    (import "w" "wait" (func $wait (param i64)))
    (func (export "wait") (call $wait (i64.const 5000000))))
  (core instance $i (instantiate $m (with "w" (instance (export "wait" (func $wait))))))
  (func $wait2 async (canon lift (core func $i "wait")))
  (instance $api (export "wait" (func $wait2)))
  (export "test:waiting/api@1.0.0" (instance $api)))
"#,
];

impl World {
    /// A saga in text, which may call `guest`.
    fn saga(&self, id: &str, text: &str) -> Compiled {
        let mut spec = self.spec(id, text);
        spec.saga = true;
        spec.services = vec![Service {
            import: "test:guest".into(),
            target: ComponentId::from("guest"),
        }];
        self.engine.compile(spec).unwrap()
    }

    /// The saga `saga`, deployed beside what it may call.
    fn with_saga(text: &str) -> Self {
        let world = Self::new();
        let compiled = vec![world.compile("guest", GUEST), world.saga("saga", text)];
        world.engine.deploy(compiled).unwrap();
        world
    }

    fn current(&self) -> String {
        self.engine.current(&ComponentId::from("saga")).unwrap()
    }

    async fn play(
        &self,
        revision: &str,
        (interface, name): (&str, &str),
    ) -> (Arc<Desk>, Result<Reply, PlayError>) {
        let input = Input::Function {
            interface: interface.to_owned(),
            name: name.to_owned(),
            arguments: vec![],
        };
        let part = Part {
            component: ComponentId::from("saga"),
            revision: revision.to_owned(),
            input: input.clone(),
        };
        let desk = Desk::begin(input, &Plan::default());
        let ended = self.engine.play(&part, Arc::clone(&desk) as _).await;
        (desk, ended)
    }
}

/// One import of an interface with one function that takes and returns nothing.
fn importing(interface: &str) -> String {
    format!(r#"(component (import "{interface}" (instance (export "do-it" (func)))))"#)
}

#[test]
fn a_saga_imports_nothing_that_a_replay_would_do_again() {
    let world = World::new();
    let refused = [
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:http/client@0.3.0",
        "wasi:sockets/tcp@0.2.0",
        "wasi:keyvalue/store@0.2.0-draft2",
        "fermyon:spin/redis@2.0.0",
        "spin:redis/redis@3.0.0",
        "spin:variables/variables@3.0.0",
        "wasi:config/store@0.2.0-draft-2024-09-27",
        "skald:saga/caller@0.1.0",
        "other:thing/api@1.0.0",
    ];
    let refused = refused.map(|interface| world.saga("saga", &importing(interface)));
    let mut compiled: Vec<Compiled> = refused.into();
    compiled.push(world.compile("guest", GUEST));
    insta::assert_snapshot!(world.problems(compiled), @r#"
    10 import problem(s):
      - saga: imports wasi:http/outgoing-handler@0.2.0, which a saga cannot have; a replay would send everything once more; let a component that it calls do it, as a step
      - saga: imports wasi:http/client@0.3.0, which a saga cannot have; a replay would send everything once more; let a component that it calls do it, as a step
      - saga: imports wasi:sockets/tcp@0.2.0, which a saga cannot have; a replay would send everything once more; let a component that it calls do it, as a step
      - saga: imports wasi:keyvalue/store@0.2.0-draft2, which a saga cannot have; a replay would find other data; let a component that it calls keep them
      - saga: imports fermyon:spin/redis@2.0.0, which a saga cannot have; a replay would send everything once more; let a component that it calls do it, as a step
      - saga: imports spin:redis/redis@3.0.0, which a saga cannot have; a replay would send everything once more; let a component that it calls do it, as a step
      - saga: imports spin:variables/variables@3.0.0, which a saga cannot have; a replay could read another value; take it from what begins the run, or from a component that it calls
      - saga: imports wasi:config/store@0.2.0-draft-2024-09-27, which a saga cannot have; a replay could read another value; take it from what begins the run, or from a component that it calls
      - saga: imports skald:saga/caller@0.1.0, which a saga cannot have; it tells a service which step it is called for; a saga knows its run by skald:saga/flow.info
      - saga: imports other:thing/api@1.0.0, which nothing provides; name who provides it under [component.saga.dependencies]
    "#);
}

#[test]
fn types_alone_are_no_reason_to_refuse_a_saga() {
    let world = World::with_saga(
        r#"(component
          (import "wasi:sockets/network@0.2.0" (instance (export "network" (type (sub resource)))))
          (import "wasi:http/types@0.2.0" (instance (export "fields" (type (sub resource)))))
          (import "wasi:keyvalue/store@0.2.0-draft2" (instance (export "bucket" (type (sub resource))))))"#,
    );
    assert_eq!(world.current().len(), 64);
}

#[test]
fn what_is_for_sagas_only_is_refused_to_others() {
    let world = World::new();
    let compiled = ["skald:saga/flow@0.1.0", "test:guest-saga/api-undo@1.0.0"]
        .map(|interface| world.compile("guest", &importing(interface)));
    insta::assert_snapshot!(world.problems(compiled.into()), @r#"
    2 import problem(s):
      - guest: imports skald:saga/flow@0.1.0, which nothing provides; only sagas have it: write saga = true under [component.guest.tool.skald]
      - guest: imports test:guest-saga/api-undo@1.0.0, which nothing provides; only sagas have it: write saga = true under [component.guest.tool.skald]
    "#);
}

#[test]
fn companions_fit_the_contract_that_they_stand_beside() {
    let world = World::new();
    let companion = |interface: &str, functions: &str| {
        let text = format!(
            r#"(component
              (import "skald:saga/undo@0.1.0" (instance $undo (export "scope" (type (sub resource)))))
              (alias export $undo "scope" (type $scope))
              (import "test:guest-saga/{interface}@1.0.0" (instance
                (alias outer 1 $scope (type $s)) (export "scope" (type $scope2 (eq $s))) {functions})))"#
        );
        world.saga("saga", &text)
    };
    let good =
        r#"(export "add" (func (param "on" (borrow $scope2)) (param "a" u32) (param "b" u32)))"#;
    let compiled = vec![
        world.compile("guest", GUEST),
        companion("api-undo", good),
        companion(
            "api-undo",
            r#"(export "add" (func (param "a" u32) (param "b" u32)))"#,
        ),
        companion("api-undo", &good.replace("\"b\" u32", "\"b\" string")),
        companion("api-undo", &good.replace("\"add\"", "\"subtract\"")),
        companion(
            "api-start",
            r#"(export "add" (func (param "a" u32) (param "b" u32) (result u64)))"#,
        ),
        companion(
            "api-start",
            r#"(export "add-result" (func (param "of" u32) (result string)))"#,
        ),
        companion(
            "api-start",
            r#"(export "add-result" (func (param "of" u32) (result u32)))"#,
        ),
        companion("other-undo", good),
    ];
    insta::assert_snapshot!(world.problems(compiled), @r#"
    6 import problem(s):
      - saga: imports test:guest-saga/api-undo@1.0.0#add, but guest exports another type
          imported: func(a: u32, b: u32)
          exported: func(a: u32, b: u32) -> u32; make the companions of guest anew: `skald saga companions`
      - saga: imports test:guest-saga/api-undo@1.0.0#add, but guest exports another type
          imported: func(on: borrow<resource>, a: u32, b: string)
          exported: func(a: u32, b: u32) -> u32; make the companions of guest anew: `skald saga companions`
      - saga: imports test:guest-saga/api-undo@1.0.0#subtract, but guest does not export that function; make the companions of guest anew: `skald saga companions`
      - saga: imports test:guest-saga/api-start@1.0.0#add, but guest exports another type
          imported: func(a: u32, b: u32) -> u64
          exported: func(a: u32, b: u32) -> u32; make the companions of guest anew: `skald saga companions`
      - saga: imports test:guest-saga/api-start@1.0.0#add-result, but guest exports another type
          imported: func(of: u32) -> string
          exported: func(a: u32, b: u32) -> u32; make the companions of guest anew: `skald saga companions`
      - saga: imports test:guest/other@1.0.0, but guest exports no compatible version of it; it exports test:guest/api@1.2.0
    "#);
}

#[test]
fn a_companion_needs_the_dependency_of_its_contract() {
    let world = World::new();
    let mut alone = world.spec("alone", &importing("test:guest-saga/api-start@1.0.0"));
    alone.saga = true;
    let compiled = vec![
        world.engine.compile(alone).unwrap(),
        world.compile("guest", GUEST),
    ];
    insta::assert_snapshot!(world.problems(compiled), @r#"
    1 import problem(s):
      - alone: imports test:guest-saga/api-start@1.0.0, which nothing provides; write "test:guest" = { component = "guest" } under [component.alone.dependencies]
    "#);
}

#[test]
fn a_saga_makes_plain_calls_only() {
    let world = World::new();
    let service = r#"(component
      (core module $m (func (export "add") (param i32 i32) (result i32) (i32.const 0)))
      (core instance $i (instantiate $m))
      (func $add async (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
      (instance $api (export "add" (func $add)))
      (export "test:guest/api@1.0.0" (instance $api)))"#;
    let saga = r#"(component (import "test:guest/api@1.0.0" (instance
      (export "add" (func async (param "a" u32) (param "b" u32) (result u32))))))"#;
    let compiled = vec![world.compile("guest", service), world.saga("saga", saga)];
    insta::assert_snapshot!(world.problems(compiled), @r#"
    1 import problem(s):
      - saga: imports test:guest/api@1.0.0#add, which is an async func; a saga makes plain calls, one after the other: let the contract have a plain func
    "#);
}

#[tokio::test]
async fn a_step_names_the_contract_that_the_saga_was_built_against() {
    let world = World::with_saga(CALLER);
    let (desk, ended) = world
        .play(&world.current(), ("test:caller/api@1.0.0", "seven"))
        .await;
    assert!(
        matches!(ended, Ok(Reply::Value(Some(Value::U32(7))))),
        "{ended:?}"
    );
    let steps: Vec<_> = desk
        .journal()
        .into_iter()
        .filter_map(|stamped| match stamped.record {
            Record::Issued {
                command: Command::Step(step),
                ..
            } => Some(step),
            _ => None,
        })
        .collect();
    assert_eq!(steps[0].interface, "test:guest/api@1.0.0");
    // The guest exports 1.2.0 today, and is found all the same.
    let call = request(
        &steps[0].target,
        &steps[0].interface,
        "add",
        steps[0].arguments.clone(),
    );
    let (_, reply) = world.engine.run(&call, Unit::closed()).await;
    assert!(
        matches!(reply, Ok(Reply::Value(Some(Value::U32(7))))),
        "{reply:?}"
    );
}

#[tokio::test]
async fn a_run_goes_on_with_the_code_that_it_began_with() {
    let world = World::with_saga(&CALLER.replace("i32.const 4", "i32.const 5"));
    let seven = ("test:caller/api@1.0.0", "seven");
    let saga = ComponentId::from("saga");
    let old = world.saga("old", CALLER).revision().to_owned();
    let file = world.directory.path().join("old.wasm");

    let (_, ended) = world.play(&old, seven).await;
    let missing = ended.unwrap_err().to_string();
    let missing = missing
        .replace(&old[..12], "OLD")
        .replace(&world.current()[..12], "NEW");
    insta::assert_snapshot!(missing, @"the revision cannot run: no code of saga at revision OLD is here, only NEW; bring back the wasm file that the run began with, or let the run go on with another revision");

    world.engine.revive(&saga, &old, &file).unwrap();
    world.engine.revive(&saga, &old, &file).unwrap();
    for (revision, sum) in [(old.as_str(), 7), (world.current().as_str(), 8)] {
        let (_, ended) = world.play(revision, seven).await;
        assert!(
            matches!(ended, Ok(Reply::Value(Some(Value::U32(found)))) if found == sum),
            "{ended:?}"
        );
    }
}

#[test]
fn what_cannot_be_revived_is_told_with_the_reason() {
    let world = World::with_saga(CALLER);
    let saga = ComponentId::from("saga");
    let unfit = CALLER.replace("\"b\" u32", "\"b\" s32");
    let unfit = world.saga("unfit", &unfit).revision().to_owned();
    let file = world.directory.path().join("unfit.wasm");
    let revive = |id: &ComponentId, revision: &str| {
        let error: EngineError = world.engine.revive(id, revision, &file).unwrap_err();
        let text = error.to_string();
        text.replace(&unfit, "UNFIT")
            .replace(&file.display().to_string(), "unfit.wasm")
    };
    insta::assert_snapshot!(revive(&ComponentId::from("guest"), &unfit), @r#"no saga is named "guest"; if a component is, write saga = true under [component.guest.tool.skald]"#);
    insta::assert_snapshot!(revive(&saga, "0123"), @"saga: unfit.wasm is revision UNFIT, not 0123; name the file that the runs began with");
    insta::assert_snapshot!(revive(&saga, &unfit), @r#"
    1 import problem(s):
      - saga: imports test:guest/api@1.0.0#add, but guest exports another type
          imported: func(a: u32, b: s32) -> u32
          exported: func(a: u32, b: u32) -> u32; bring wit/ of saga and guest to one version
    "#);
    assert_eq!(world.engine.current(&ComponentId::from("guest")), None);
}

#[tokio::test]
async fn code_sees_the_world_of_its_run_from_the_first_instruction() {
    let world = World::with_saga(EARLY);
    let ask = async |name| {
        let (_, ended) = world
            .play(&world.current(), ("test:early/api@1.0.0", name))
            .await;
        match ended {
            Ok(Reply::Value(Some(Value::U64(number)))) => number,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ask("time").await, 1_790_000_000_000_000_000);
    let (chance, later) = (ask("chance").await, ask("later").await);
    assert_eq!((ask("chance").await, ask("later").await), (chance, later));
    assert_ne!(chance, later);
}

#[tokio::test]
async fn a_saga_does_not_wait_by_a_clock() {
    for text in WAITING {
        let world = World::with_saga(text);
        let (_, ended) = world
            .play(&world.current(), ("test:waiting/api@1.0.0", "wait"))
            .await;
        let error = ended.unwrap_err();
        assert!(matches!(error, PlayError::Crashed(CallError::Trapped(_))));
        insta::allow_duplicates! {
            insta::assert_snapshot!(error, @"the component trapped: a saga sleeps with skald:saga/flow.sleep");
        }
    }
}

#[tokio::test]
async fn a_service_is_told_which_step_it_is_called_for() {
    let world = World::new();
    let compiled = world.compile("callee", CALLEE);
    world.engine.deploy(vec![compiled]).unwrap();
    for (once, told) in [(None, 0), (Some(false), 64), (Some(true), 65)] {
        let mut call = request("callee", "test:callee/api@1.0.0", "who", vec![]);
        call.context.once = once.map(|undo| {
            Once::Step(Arc::new(StepKey {
                run: "run_1".into(),
                key: "0123456789abcdef0123456789abcdef".into(),
                undo,
                life: None,
            }))
        });
        let (_, reply) = world.engine.run(&call, Unit::closed()).await;
        assert!(
            matches!(reply, Ok(Reply::Value(Some(Value::U32(found)))) if found == told),
            "{reply:?}"
        );
    }
}

/// The bits of a not-a-number are the machine's own choice, unless the compiler makes them the same everywhere.
#[tokio::test]
async fn a_number_that_is_none_has_the_same_bits_everywhere() {
    let world = World::with_saga(
        r#"(component
          (core module $m
            (global $zero (mut f64) (f64.const 0))
            (func (export "bits") (result i64)
              (i64.reinterpret_f64 (f64.div (global.get $zero) (global.get $zero)))))
          (core instance $i (instantiate $m))
          (func $bits (result u64) (canon lift (core func $i "bits")))
          (instance $api (export "bits" (func $bits)))
          (export "test:bits/api@1.0.0" (instance $api)))"#,
    );
    let (_, ended) = world
        .play(&world.current(), ("test:bits/api@1.0.0", "bits"))
        .await;
    assert!(
        matches!(
            ended,
            Ok(Reply::Value(Some(Value::U64(0x7ff8_0000_0000_0000))))
        ),
        "{ended:?}"
    );
}
