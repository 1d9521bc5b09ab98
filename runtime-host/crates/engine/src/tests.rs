//! The engine on small components written out in text.

use std::{path::PathBuf, sync::Arc, time::Duration};

use skald_core::{
    call::{CallError, DynCall, Function, Input, Reply, Request},
    context::{Cause, Context, TraceContext},
    manifest::ComponentId,
    run::Run,
    unit::Unit,
    value::Value,
};
use tempfile::TempDir;

use crate::{Compiled, Config, Engine, EngineError, Isolation, Service, Spec};

/// `count` counts calls of its instance; the others misbehave.
const GUEST: &str = r#"
(component
  (core module $m
    (memory (export "memory") 1)
    (global $calls (mut i32) (i32.const 0))
    (func (export "count") (result i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (global.get $calls))
    (func (export "add") (param i32 i32) (result i32)
      (i32.add (local.get 0) (local.get 1)))
    (func (export "trap") unreachable)
    (func (export "spin") (loop (br 0)))
    (func (export "grow") (loop
      (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable))
  (core instance $i (instantiate $m))
  (func $count (result u32) (canon lift (core func $i "count")))
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func $trap (canon lift (core func $i "trap")))
  (func $spin (canon lift (core func $i "spin")))
  (func $grow (canon lift (core func $i "grow")))
  (instance $api (export "count" (func $count)) (export "add" (func $add)) (export "trap" (func $trap))
    (export "spin" (func $spin)) (export "grow" (func $grow)))
  (export "test:guest/api@1.2.0" (instance $api)))
"#;

/// Calls `add` of the other one.
const CALLER: &str = r#"
(component
  (import "test:guest/api@1.0.0" (instance $guest
    (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
  (core func $add (canon lower (func $guest "add")))
  (core module $m
    (import "guest" "add" (func $add (param i32 i32) (result i32)))
    (func (export "seven") (result i32) (call $add (i32.const 3) (i32.const 4))))
  (core instance $i (instantiate $m (with "guest" (instance (export "add" (func $add))))))
  (func $seven (result u32) (canon lift (core func $i "seven")))
  (instance $api (export "seven" (func $seven)))
  (export "test:caller/api@1.0.0" (instance $api)))
"#;

mod saga;
mod spike;
mod stage;

struct World {
    directory: TempDir,
    engine: Arc<Engine>,
}

impl World {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let config = Config {
            cache: Some(directory.path().join("cache")),
            instances: 20,
            ..Config::default()
        };
        Self {
            engine: Arc::new(Engine::start(config).unwrap()),
            directory,
        }
    }

    fn spec(&self, id: &str, text: &str) -> Spec {
        let source = self.directory.path().join(format!("{id}.wasm"));
        std::fs::write(&source, wat::parse_str(text).unwrap()).unwrap();
        spec(id, source)
    }

    fn compile(&self, id: &str, text: &str) -> Compiled {
        self.engine.compile(self.spec(id, text)).unwrap()
    }

    /// One guest with these settings, deployed.
    fn with_guest(change: impl FnOnce(&mut Spec)) -> Self {
        let world = Self::new();
        let mut spec = world.spec("guest", GUEST);
        change(&mut spec);
        let compiled = world.engine.compile(spec).unwrap();
        assert_eq!(world.engine.deploy(vec![compiled]).unwrap(), []);
        world
    }

    async fn call(&self, name: &str, arguments: Vec<Value>) -> Result<Reply, CallError> {
        self.engine
            .run(
                &request("guest", "test:guest/api@1.2.0", name, arguments),
                Unit::closed(),
            )
            .await
            .1
    }

    async fn count(&self) -> u32 {
        match self.call("count", vec![]).await {
            Ok(Reply::Value(Some(Value::U32(count)))) => count,
            other => panic!("{other:?}"),
        }
    }

    fn problems(&self, compiled: Vec<Compiled>) -> String {
        match self.engine.deploy(compiled) {
            Err(error @ EngineError::Link(_)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

fn spec(id: &str, source: PathBuf) -> Spec {
    Spec {
        id: ComponentId::from(id),
        source,
        isolation: Isolation::Instance,
        saga: false,
        memory: 8 << 20,
        stores: vec![],
        outbound: vec![],
        variables: [].into(),
        environment: vec![],
        services: vec![],
        event_address: None,
    }
}

fn request(target: &str, interface: &str, name: &str, arguments: Vec<Value>) -> Request {
    let trace = TraceContext {
        trace_id: 1,
        span_id: 1,
        sampled: false,
    };
    Request {
        target: ComponentId::from(target),
        input: Input::Function(Function {
            interface: Arc::from(interface),
            name: Arc::from(name),
            arguments,
        }),
        context: Context::root(trace, Cause::Host),
    }
}

/// The road between components, without policies.
struct Straight(Arc<Engine>);

impl DynCall for Straight {
    fn call_boxed(
        &self,
        request: Request,
    ) -> skald_core::call::BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move { self.0.run(&request, Unit::closed()).await.1 })
    }
}

#[tokio::test]
async fn an_instance_serves_one_call_after_the_other() {
    let world = World::with_guest(|_| ());
    assert_eq!(
        (
            world.count().await,
            world.count().await,
            world.count().await
        ),
        (1, 2, 3)
    );
}

#[tokio::test]
async fn with_isolation_each_call_has_a_fresh_instance() {
    let world = World::with_guest(|spec| spec.isolation = Isolation::Call);
    assert_eq!((world.count().await, world.count().await), (1, 1));
}

#[tokio::test]
async fn a_trap_ends_the_instance_and_nothing_else() {
    let world = World::with_guest(|_| ());
    assert_eq!(world.count().await, 1);
    let error = world.call("trap", vec![]).await.unwrap_err();
    insta::assert_snapshot!(error, @"the component trapped: wasm trap: wasm `unreachable` instruction executed");
    assert_eq!(world.count().await, 1);
}

#[tokio::test]
async fn a_spinning_guest_stops_when_nobody_waits_for_it() {
    let world = World::with_guest(|_| ());
    let spinning = tokio::time::timeout(Duration::from_millis(50), world.call("spin", vec![]));
    assert!(spinning.await.is_err());
    assert_eq!(world.count().await, 1);
}

#[tokio::test]
async fn a_spinning_guest_lets_others_run_on_the_same_thread() {
    let world = World::with_guest(|_| ());
    tokio::select! {
        biased;
        ended = world.call("spin", vec![]) => panic!("{ended:?}"),
        count = world.count() => assert_eq!(count, 1),
    }
}

#[tokio::test]
async fn memory_ends_where_the_manifest_says() {
    let world = World::with_guest(|_| ());
    let error = world.call("grow", vec![]).await.unwrap_err();
    insta::assert_snapshot!(error, @"the component went over its limit: one instance may have 8 MiB of memory");
    assert_eq!(world.count().await, 1);
}

#[tokio::test]
async fn what_is_not_exported_cannot_be_called() {
    let world = World::with_guest(|_| ());
    let error = world.call("nothing", vec![]).await.unwrap_err();
    insta::assert_snapshot!(error, @"guest does not export test:guest/api@1.2.0#nothing");
    let (_, missing) = world
        .engine
        .run(&request("ghost", "a:b/c", "d", vec![]), Unit::closed())
        .await;
    insta::assert_snapshot!(missing.unwrap_err(), @r#"no component is named "ghost""#);
}

#[tokio::test]
async fn one_component_calls_another_by_a_compatible_version() {
    let world = World::new();
    let guest = world.compile("guest", GUEST);
    let mut caller = world.spec("caller", CALLER);
    caller.services = vec![Service {
        import: "test:guest".into(),
        target: ComponentId::from("guest"),
    }];
    let caller = world.engine.compile(caller).unwrap();
    assert_eq!(world.engine.deploy(vec![guest, caller]).unwrap(), []);
    let straight: Arc<dyn DynCall> = Arc::new(Straight(Arc::clone(&world.engine)));
    world.engine.connect(Arc::downgrade(&straight));
    let seven = request("caller", "test:caller/api@1.0.0", "seven", vec![]);
    let (_, reply) = world.engine.run(&seven, Unit::closed()).await;
    assert!(
        matches!(reply, Ok(Reply::Value(Some(Value::U32(7))))),
        "{reply:?}"
    );
}

#[test]
fn every_import_that_is_not_met_is_told_at_once() {
    let world = World::new();
    let other = GUEST.replace(
        "(param \"b\" u32) (result u32) (canon",
        "(param \"b\" s32) (result u32) (canon",
    );
    let other = world.compile("guest", &other);
    let mut mismatched = world.spec("mismatched", CALLER);
    mismatched.services = vec![Service {
        import: "test:guest".into(),
        target: ComponentId::from("guest"),
    }];
    let mismatched = world.engine.compile(mismatched).unwrap();
    let unwired = world.compile("unwired", CALLER);
    let store = r#"(component (import "wasi:keyvalue/store@0.2.0-draft2" (instance (export "open" (func)))))"#;
    let ungranted = world.compile("ungranted", store);
    insta::assert_snapshot!(world.problems(vec![other, mismatched, unwired, ungranted]), @r#"
    3 import problem(s):
      - mismatched: imports test:guest/api@1.0.0#add, but guest exports another type
          imported: func(a: u32, b: u32) -> u32
          exported: func(a: u32, b: s32) -> u32; bring wit/ of mismatched and guest to one version
      - unwired: imports test:guest/api@1.0.0, which nothing provides; write "test:guest" = { component = "guest" } under [component.unwired.dependencies]
      - ungranted: imports wasi:keyvalue/store@0.2.0-draft2 but is granted no store; add key_value_stores = ["…"] to the component, or build it without that import
    "#);
}

#[test]
fn grants_that_nothing_uses_are_told() {
    let world = World::new();
    let mut spec = world.spec("guest", GUEST);
    spec.stores = vec![Arc::from("things")];
    spec.outbound = vec!["https://example.com".into()];
    spec.services = vec![Service {
        import: "a:b".into(),
        target: ComponentId::from("guest"),
    }];
    let compiled = world.engine.compile(spec).unwrap();
    let unused = world.engine.deploy(vec![compiled]).unwrap();
    let unused: Vec<String> = unused.into_iter().map(|problem| problem.what).collect();
    insta::assert_snapshot!(unused.join("\n"), @r#"
    key_value_stores grants ["things"], which it never opens
    allowed_outbound_hosts grants ["https://example.com"], which it never reaches
    depends on "a:b", which it does not import
    "#);
}

#[test]
fn compiled_code_is_kept_and_damaged_code_is_compiled_anew() {
    let world = World::new();
    assert!(!world.compile("guest", GUEST).was_cached());
    assert!(world.compile("guest", GUEST).was_cached());
    let code = std::fs::read_dir(world.directory.path().join("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "cwasm")
        })
        .unwrap();
    let whole = std::fs::read(&code).unwrap();
    for damaged in [
        whole[..whole.len() / 2].to_vec(),
        vec![],
        vec![b'x'; whole.len()],
    ] {
        std::fs::write(&code, damaged).unwrap();
        assert!(!world.compile("guest", GUEST).was_cached());
        assert!(world.compile("guest", GUEST).was_cached());
    }
}

#[test]
fn a_file_that_is_no_component_is_named() {
    let world = World::new();
    let whole = wat::parse_str(GUEST).unwrap();
    let truncated = world.directory.path().join("truncated.wasm");
    std::fs::write(&truncated, &whole[..whole.len() / 2]).unwrap();
    for source in [truncated, world.directory.path().join("missing.wasm")] {
        let name = source.file_name().unwrap().to_string_lossy().into_owned();
        let error = world
            .engine
            .compile(spec("guest", source))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains(&name) && error.starts_with("guest: "),
            "{error}"
        );
    }
}
