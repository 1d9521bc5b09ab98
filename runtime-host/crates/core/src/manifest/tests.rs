//! Whole manifests: what a good one becomes, and what a person reads about a bad one.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use proptest::prelude::*;

use super::{App, ByteSize, DependencyTarget, HttpTarget, Inherit, Isolation, Route};
use crate::{
    manifest::{Capability, FileMount},
    saga::{
        Step,
        policy::{Class, Policy},
    },
};

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"shop\"\n";

fn problems(text: &str) -> String {
    App::parse(text, "spin.toml").unwrap_err().to_string()
}

/// The problems of a manifest whose first three lines are right.
fn problems_after_head(text: &str) -> String {
    problems(&format!("{HEAD}{text}"))
}

fn app(text: &str) -> App {
    App::parse(text, "spin.toml").unwrap_or_else(|problems| panic!("{problems}"))
}

const WHOLE: &str = include_str!("tests/whole.toml");
const SLIPS: &str = include_str!("tests/slips.toml");
const SAGAS: &str = include_str!("tests/sagas.toml");

#[test]
fn everything_in_a_manifest_reaches_the_model() {
    let app = app(WHOLE);
    assert_eq!(
        (app.name.as_str(), app.version.as_str(), app.authors.len()),
        ("shop", "0.1.0", 1)
    );
    assert!(app.warnings.is_empty(), "{:?}", app.warnings);
    assert!(app.variables["psp_key"].secret && app.variables["psp_key"].default.is_none());
    assert_eq!(
        app.redis_address.as_ref().map(super::Template::as_str),
        Some("redis://{{ redis_host }}:6379")
    );
    let routes: Vec<String> = app
        .http
        .iter()
        .map(|trigger| format!("{:?}", trigger.route))
        .collect();
    assert_eq!(routes.len(), 4);
    assert!(matches!(app.http[1].route, Route::Private));
    let HttpTarget::Static(answer) = &app.http[2].target else {
        panic!("static")
    };
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (203, "hi"));
    assert_eq!(answer.headers["content-type"], "text/plain");
    let HttpTarget::Component(inline) = &app.http[3].target else {
        panic!("inline")
    };
    assert_eq!(inline.as_str(), "extra-component");
    assert_eq!(
        app.components["extra-component"].source.to_str(),
        Some("extra.wasm")
    );
    assert_eq!(app.redis[0].channel.as_str(), "{{ prefix }}.orders");
    assert_eq!(app.components.len(), 5);
}

#[test]
fn everything_of_a_component_reaches_the_model() {
    let app = app(WHOLE);
    let orders = &app.components["orders"];
    assert_eq!(
        orders.variables["psp"].as_str(),
        "https://{{ psp_host }}/pay"
    );
    assert_eq!(orders.environment["RUST_LOG"], "info");
    assert_eq!(orders.files[0], FileMount::Glob("assets/*.json".into()));
    assert_eq!(
        orders.files[1],
        FileMount::Placed {
            source: "www".into(),
            destination: "/".into()
        }
    );
    assert_eq!(orders.exclude_files, ["assets/secret.json"]);
    assert_eq!(orders.allowed_outbound_hosts.len(), 3);
    assert_eq!(
        orders.key_value_stores.iter().collect::<Vec<_>>(),
        ["default", "my_store"]
    );
    assert_eq!(orders.build.as_ref().unwrap().commands, ["a", "b"]);
    let dependencies: Vec<(String, &DependencyTarget, &Inherit)> = orders
        .dependencies
        .iter()
        .map(|it| (it.name.to_string(), &it.target, &it.inherit))
        .collect();
    let component = |id: &str, export: Option<&str>| DependencyTarget::Component {
        id: id.into(),
        export: export.map(str::to_owned),
    };
    let path = DependencyTarget::Path {
        path: "lib/money.wasm".into(),
        export: None,
    };
    let stores = Inherit::Some([Capability::KeyValueStores].into());
    assert_eq!(
        dependencies,
        [
            ("money".to_owned(), &path, &Inherit::All),
            (
                "shop:cart/api@0.1.0".to_owned(),
                &component("cart", Some("api")),
                &stores
            ),
            (
                "shop:identity".to_owned(),
                &component("identity", None),
                &Inherit::Nothing
            ),
        ],
        "a path to the file of a component is that component"
    );
}

#[test]
fn events_are_kept_unless_it_is_said_how_long_and_how_many() {
    let kept = |events: &str| {
        let target = "[[trigger.http]]\nroute = \"/\"\nstatic_response = {}\n";
        let events = format!("{HEAD}[application.tool.skald.events]\n{events}\n{target}");
        let events = app(&events).settings.events;
        (events.retention, events.retention_size)
    };
    assert_eq!(kept(""), (None, None));
    assert_eq!(
        kept("retention = \"30d\"\nretention_size = \"1GiB\""),
        (Some(Duration::from_hours(720)), Some(ByteSize::mib(1_024)))
    );
}

#[test]
fn settings_fall_back_from_the_component_to_the_application_to_the_default() {
    let app = app(WHOLE);
    let auth = app.settings.http.auth.as_ref().unwrap();
    assert_eq!(auth.issuer, "skald-shop");
    assert!(auth.public[0].matches(&http::Method::GET, "/api/v1/products/1"));
    assert_eq!(
        (
            app.settings.events.concurrency.get(),
            app.settings.events.attempts.get()
        ),
        (4, 8)
    );
    assert_eq!(app.settings.events.max_backoff, Duration::from_secs(30));

    let orders = &app.components["orders"].settings;
    assert!(orders.atomic && orders.saga.is_none());
    assert_eq!(orders.isolation, Isolation::Call);
    assert_eq!(
        (orders.memory, orders.deadline),
        (ByteSize::mib(32), Duration::from_secs(5))
    );
    assert_eq!(
        (orders.retry.attempts.get(), orders.retry.backoff),
        (5, Duration::from_millis(50))
    );
    assert_eq!(orders.http.body_limit, ByteSize::kib(64));
    assert!(orders.http.idempotent[0].matches(&http::Method::POST, "/api/v1/orders"));

    let cart = &app.components["cart"].settings;
    assert!(!cart.atomic, "its own setting beats the application's");
    let identity = &app.components["identity"].settings;
    assert!(
        identity.atomic,
        "the application's setting beats the default"
    );
    assert_eq!(identity.http.body_limit, ByteSize::mib(2));
    assert_eq!(
        (identity.memory, identity.deadline),
        (ByteSize::mib(64), Duration::from_secs(10))
    );
    assert_eq!(
        (identity.concurrency, identity.retry.attempts.get()),
        (NonZeroUsize::new(64).unwrap(), 3)
    );
}

#[test]
fn the_steps_of_a_saga_have_policies() {
    let app = app(WHOLE);
    let checkout = &app.components["checkout"].settings;
    assert!(!checkout.atomic, "it has no data that a unit could hold");
    let policies = &checkout.saga.as_ref().unwrap().policies;
    let of = |interface: &str, function: &str| {
        policies.of(&Step {
            target: String::new(),
            interface: interface.to_owned(),
            function: function.to_owned(),
            arguments: Vec::new(),
        })
    };
    let default = Policy::default();
    let take = Policy {
        attempts: NonZeroU32::new(20).unwrap(),
        backoff: Duration::from_secs(1),
        max_backoff: Duration::from_mins(1),
        timeout: Some(Duration::from_secs(5)),
        class: Class::Write,
    };
    assert_eq!(of("shop:cart/api@1.0.0", "take"), take);
    let class = |class| Policy { class, ..default };
    assert_eq!(of("shop:cart/api@1.0.0", "give"), class(Class::WriteOnce));
    assert_eq!(of("shop:identity/api@1.0.0", "find"), class(Class::Read));
    assert_eq!(of("shop:other/api@1.0.0", "find"), default);
}

#[test]
fn a_saga_says_only_what_has_a_meaning_for_it() {
    insta::assert_snapshot!(problems(SAGAS), @r#"
    spin.toml has 27 problems:
      spin.toml:9: [[trigger.http]] `checkout` is a saga, which answers no HTTP requests, since it outlives connections; let an event (`[[trigger.redis]]`) or a call of another component begin it
      spin.toml:12: [component.checkout] a saga cannot have `variables`: after a crash its code runs again from the beginning and has to see the same as before; leave it to a component that it calls
      spin.toml:13: [component.checkout] a saga cannot have `environment`: after a crash its code runs again from the beginning and has to see the same as before; leave it to a component that it calls
      spin.toml:14: [component.checkout] a saga cannot have `files`: after a crash its code runs again from the beginning and has to see the same as before; leave it to a component that it calls
      spin.toml:15: [component.checkout] a saga cannot have `allowed_outbound_hosts`: after a crash its code runs again from the beginning and has to see the same as before; leave it to a component that it calls
      spin.toml:16: [component.checkout] a saga cannot have `key_value_stores`: after a crash its code runs again from the beginning and has to see the same as before; leave it to a component that it calls
      spin.toml:22: [component.checkout.tool.skald] `atomic` means nothing for a saga, since it has no data of its own; leave it out
      spin.toml:23: [component.checkout.tool.skald] `isolation` means nothing for a saga, since each run has an instance of its own; leave it out
      spin.toml:25: [component.checkout.tool.skald.steps."shop:payments/api.capture"] `attempts` must be at least 1 and at most 4294967295, not 0
      spin.toml:25: [component.checkout.tool.skald.steps."shop:payments/api.capture"] `backoff`: `10` has no unit; did you mean `10s` or `10ms`?
      spin.toml:25: [component.checkout.tool.skald.steps."shop:payments/api.capture"] there is no class `wirte`; did you mean `write`?
      spin.toml:25: [component.checkout.tool.skald.steps."shop:payments/api.capture"] unknown key `timeut`; did you mean `timeout`?
      spin.toml:26: [component.checkout.tool.skald.steps."shop:payments/api.refund"] `class` must be "read", "write" or "write-once", not the number 3
      spin.toml:26: [component.checkout.tool.skald.steps."shop:payments/api.refund"] `max_backoff` (30s) is shorter than `backoff` (60s); make it longer
      spin.toml:27: [component.checkout.tool.skald.steps] `shop:paymnts/api.capture` is no step of this component: it has no such dependency; did you mean `shop:payments/api.capture`?
      spin.toml:28: [component.checkout.tool.skald.steps] `shop:payments@1.0.0` has a version, and a policy is for all versions; write `shop:payments`
      spin.toml:29: [component.checkout.tool.skald.steps] `shop:payments/api@1.0.0.capture` has a version, and a policy is for all versions; write `shop:payments/api.capture`
      spin.toml:30: [component.checkout.tool.skald.steps] `shop:payments@1.0.0/api.capture` has a version, and a policy is for all versions; write `shop:payments/api.capture`
      spin.toml:31: [component.checkout.tool.skald.steps] `shop:stock/apu.take` is no step of this component: it has no such dependency; did you mean `shop:stock/api.take`?
      spin.toml:33: [component.checkout.tool.skald.steps] `bank:transfer` is no step of this component: it has no such dependency; known here: `shop:payments`, `shop:stock/api`
      spin.toml:34: [component.checkout.tool.skald.steps] `shop:payments.capture` is not a name of steps; write `namespace:package`, `namespace:package/interface` or `namespace:package/interface.function`
      spin.toml:35: [component.checkout.tool.skald.steps] `payments` is not a name of steps; write `namespace:package`, `namespace:package/interface` or `namespace:package/interface.function`
      spin.toml:36: [component.checkout.tool.skald.steps] `shop:stock/api` must be a table, not the string "read"
      spin.toml:39: [component.payments] `checkout` is a saga, which answers no HTTP requests, since it outlives connections; let an event (`[[trigger.redis]]`) or a call of another component begin it
      spin.toml:40: [component.payments.tool.skald] `steps` is about the steps of a saga; write `saga = true` beside it, or leave it out
      spin.toml:41: [component.payments.tool.skald.steps] `shop:stock` is no step of this component: it has no such dependency
      spin.toml:41: [component.payments.tool.skald.steps."shop:stock"] `attempts` must be at least 1 and at most 4294967295, not 0
    "#);
}

#[test]
fn every_slip_is_reported_at_once_with_what_to_write() {
    insta::assert_snapshot!(problems(SLIPS), @r#"
    spin.toml has 30 problems:
      spin.toml:3: unknown key `titel`
      spin.toml:6: [application] unknown key `nmae`; did you mean `name`?
      spin.toml:7: [application] `version` must be a string, not the number 1
      spin.toml:10: [application.tool.skald] `atomic` must be `true` or `false`, not the string "yes"
      spin.toml:12: [application.tool.skald.http] `body_limit`: `1MB` is not a size; did you mean `1MiB`?
      spin.toml:13: [application.tool.skald.http.auth] `audience` is missing; write `audience = "my-app"`
      spin.toml:15: [application.tool.skald.http.auth] `jwks` must be a URL that starts with `http://` or `https://`, not `identity.spin.internal/keys`
      spin.toml:16: [application.tool.skald.http.auth] `public`: `get` is not a method; did you mean `GET`?
      spin.toml:16: [application.tool.skald.http.auth] `public`: `products` does not name a path; write `POST /path` or `/path`
      spin.toml:17: [application.tool.skald.events] `max_backoff` (30s) is shorter than `backoff` (60s); make it longer
      spin.toml:19: [application.tool.skald.events] `attempts` must be at least 1 and at most 4294967295, not 0
      spin.toml:22: [variables] `Psp-Host` is not a name of a variable; write it in lower_snake_case: `psp_host`
      spin.toml:22: [variables.Psp-Host] has both `required = true` and a `default`; leave one out
      spin.toml:23: [variables.nothing] would never have a value; write `required = true` or `default = "…"`
      spin.toml:24: [variables.secret_one] unknown key `secert`; did you mean `secret`?
      spin.toml:28: [[trigger.http]] unknown key `compnent`; did you mean `component`?
      spin.toml:32: [[trigger.http]] there is no component `order`; did you mean `orders`?
      spin.toml:35: [[trigger.http]] the route `/orders` is declared twice; the first is on line 31
      spin.toml:39: [component.cart] unknown key `sorce`; did you mean `source`?
      spin.toml:40: [component.cart] unknown key `key-value-stores`; did you mean `key_value_stores`?
      spin.toml:44: [component.orders] `example.com` is not a host; write `scheme://host` or `scheme://host:port`: `https://example.com`
      spin.toml:44: [component.orders] there is no component `psp`; write `[component.psp]`
      spin.toml:45: [component.orders] `My Store` is not a label of a store; write it in kebab-case or snake_case: `my-store`
      spin.toml:46: [component.orders.variables] `{{ x` opens `{{` and does not close it; write `{{ name }}`
      spin.toml:46: [component.orders.variables] the variable `psp_hots` is not declared; did you mean `Psp-Host`?
      spin.toml:48: [component.orders.tool.skald] `deadline` must be a duration such as "10s", not the number 10
      spin.toml:49: [component.orders.tool.skald] there is no isolation `instence`; did you mean `instance`?
      spin.toml:50: [component.orders.tool.skald] `memory`: `64` has no unit; did you mean `64MiB`?
      spin.toml:51: [component.orders.tool.skald.retry] unknown key `backof`; did you mean `backoff`?
      spin.toml:52: [component.orders.tool.skald] `concurrency` must be at least 1 and at most 4294967295, not -1
    "#);
}

#[test]
fn what_is_not_supported_yet_is_never_silently_left_out() {
    insta::assert_snapshot!(problems_after_head(r#"
[application.trigger.http]
base = "/api"
[application.trigger.sqs]
queue = "x"
[[trigger.cron]]
component = "a"
[[trigger.http]]
route = "/wagi"
component = "a"
executor = { type = "wagi", argv = "x" }
[[trigger.http]]
route = "/middle"
component = "b"
dependencies.middleware = [{ component = "a" }]
[component.a]
source = { url = "https://example.com/a.wasm", digest = "sha256:00" }
sqlite_databases = ["default"]
ai_models = ["llama"]
[component.b]
source = { registry = "ghcr.io", package = "a:b", version = "1.0.0" }
allowed_http_hosts = ["example.com"]
[component.b.dependencies]
"a:one" = "1.0.0"
"a:two" = { version = "1.0.0", package = "x:y" }
"a:three" = { url = "https://example.com/x.wasm", digest = "sha256:00" }
"#), @r#"
    spin.toml has 13 problems:
      spin.toml:6: [application.trigger.http] `base` is no longer there; leave it out and write the whole path in each `route`
      spin.toml:7: [application.trigger] triggers of the type `sqs` are not supported yet; known here: `http`, `redis`
      spin.toml:9: [trigger] triggers of the type `cron` are not supported yet; known here: `http`, `redis`
      spin.toml:14: [trigger.http.executor] the executor `wagi` is not supported yet; build the component for `wasi:http` instead
      spin.toml:18: [trigger.http.dependencies] middleware is not supported yet; leave it out
      spin.toml:20: [component.a] a `source` from a URL is not supported yet; write `source = "path/to/component.wasm"`
      spin.toml:21: [component.a] SQLite databases are not supported yet; leave `sqlite_databases` out
      spin.toml:22: [component.a] AI models are not supported yet; leave `ai_models` out
      spin.toml:24: [component.b] a `source` from a registry is not supported yet; write `source = "path/to/component.wasm"`
      spin.toml:25: [component.b] `allowed_http_hosts` is no longer there; write `allowed_outbound_hosts = ["https://example.com"]`
      spin.toml:27: [component.b.dependencies] a dependency from a registry is not supported yet; write `{ component = "…" }` or `{ path = "…" }`
      spin.toml:28: [component.b.dependencies."a:two"] a dependency from a registry is not supported yet; write `{ component = "…" }` or `{ path = "…" }`
      spin.toml:29: [component.b.dependencies."a:three"] a dependency from a URL is not supported yet; write `{ component = "…" }` or `{ path = "…" }`
    "#);
}

#[test]
fn dependencies_name_packages_and_components_that_exist() {
    insta::assert_snapshot!(problems_after_head(r#"
[[trigger.http]]
route = "/"
component = "a"
[component.a]
source = "a.wasm"
[component.a.dependencies]
plain = { component = "b" }
"shop:b" = { component = "bb", export = "x" }
"shop:b/api" = { component = "b", inherit_configuration = ["files", "key_value_store"] }
"shop:self" = { component = "a" }
"shop:none" = {}
"shop:both" = { component = "b", path = "b.wasm" }
"shop:twin" = { path = "twin.wasm" }
"shop:own" = { path = "a.wasm" }
"Shop:x" = { component = "b" }
"shop:x@1" = { component = "b" }
[component.b]
source = "b.wasm"
[component.twin1]
source = "twin.wasm"
[component.twin2]
source = "twin.wasm"
dependencies_inherit_configuration = true
dependencies = { "shop:y" = { component = "b", inherit_configuration = true } }
"#), @r#"
    spin.toml has 13 problems:
      spin.toml:11: [component.a.dependencies.plain] a dependency on a component needs the name of a package; write `"namespace:plain" = { component = "b" }`
      spin.toml:12: [component.a.dependencies."shop:b"] `export` goes with one interface; write the dependency as `"namespace:package/interface"`
      spin.toml:12: [component.a.dependencies."shop:b"] there is no component `bb`; did you mean `b`?
      spin.toml:13: [component.a.dependencies."shop:b/api"] `key_value_store` is nothing a dependency can inherit; did you mean `key_value_stores`?
      spin.toml:13: [component.a.dependencies] `shop:b` and `shop:b/api` are about the same imports; keep one
      spin.toml:14: [component.a.dependencies."shop:self"] `a` cannot be its own dependency; leave it out
      spin.toml:15: [component.a.dependencies."shop:none"] a dependency has one provider; write `{ component = "…" }` or `{ path = "…" }`
      spin.toml:16: [component.a.dependencies."shop:both"] a dependency has one provider; write `{ component = "…" }` or `{ path = "…" }`
      spin.toml:17: [component.a.dependencies."shop:twin"] `twin.wasm` is the file of `twin1`, `twin2`; write `component = "…"` to choose one
      spin.toml:18: [component.a.dependencies."shop:own"] `a` cannot be its own dependency; leave it out
      spin.toml:19: [component.a.dependencies] `Shop:x` is not a name of an import; write `namespace:package`, `namespace:package@1.0.0` or `namespace:package/interface`
      spin.toml:20: [component.a.dependencies] `shop:x@1` ends in something that is not a version (unexpected end of input while parsing major version number); write `shop:x@1.0.0`
      spin.toml:28: [component.twin2.dependencies."shop:y"] the component has `dependencies_inherit_configuration` already; leave one of them out
    "#);
}

#[test]
fn triggers_are_checked_as_a_whole() {
    insta::assert_snapshot!(problems_after_head(r#"
[[trigger.http]]
component = "a"
[[trigger.http]]
route = { private = false }
component = "a"
[[trigger.http]]
route = "/x/:id"
[[trigger.http]]
route = "/x/:name"
component = "a"
static_response = { body = "x" }
[[trigger.http]]
route = "/.well-known/spin/health"
static_response = { status_code = 99, headers = { "a b" = "x" }, boddy = "x" }
[[trigger.http]]
route = "/a/.../b"
component = ["a"]
[[trigger.http]]
route = "/b"
component = { source = "b.wasm", colour = "red" }
[[trigger.redis]]
component = "a"
adress = "x"
[[trigger.redis]]
channel = "orders"
component = "a"
[[trigger.redis]]
channel = "orders"
component = "a"
[component.a]
source = "a.wasm"
"#), @r#"
    spin.toml has 15 problems:
      spin.toml:5: [[trigger.http]] `route` is missing; write `route = "/path" or { private = true }`
      spin.toml:8: [trigger.http.route] must say `private = true`; a public route is a string such as "/path"
      spin.toml:10: [[trigger.http]] nothing answers; write `component = "…"` or `static_response = { body = "…" }`
      spin.toml:13: [[trigger.http]] the route `/x/:name` means the same paths as `/x/:id` on line 11
      spin.toml:15: [[trigger.http]] a trigger has a `component` or a `static_response`, not both; leave one out
      spin.toml:17: [[trigger.http]] the route `/.well-known/spin/health` belongs to the host; choose another
      spin.toml:18: [trigger.http.static_response] `status_code` must be between 200 and 599, not 99
      spin.toml:18: [trigger.http.static_response.headers] `a b` cannot be the name of a header
      spin.toml:18: [trigger.http.static_response] unknown key `boddy`; did you mean `body`?
      spin.toml:20: [[trigger.http]] the route `/a/.../b` has a wildcard in the middle; `...` may only come last
      spin.toml:21: [[trigger.http]] `component` must be the name of a component or a table, not a list
      spin.toml:24: [trigger.http.component] unknown key `colour`
      spin.toml:25: [[trigger.redis]] `channel` is missing; write `channel = "orders"`
      spin.toml:27: [[trigger.redis]] unknown key `adress`; did you mean `address`?
      spin.toml:31: [[trigger.redis]] the component gets the channel `orders` twice; leave one out
    "#);
}

#[test]
fn a_wrong_shape_is_explained() {
    insta::assert_snapshot!(problems(r#"
spin_manifest_version = 2
variables = 3
[application]
name = ""
authors = "me"
targets = [3, {}]
tool = 1
[trigger]
http = { route = "/" }
[component]
My_Cart = { source = 3, files = "x", build = "make", environment = { A = 1 } }
"2cool" = "x.wasm"
b = { source = "b.wasm", files = [{ src = "x", destination = "/" }, 3], build = { workdir = "x" } }
"#), @r#"
    spin.toml has 17 problems:
      spin.toml:3: `variables` must be a table, not the number 3
      spin.toml:5: [application] `name` is empty; write `name = "my-app"`
      spin.toml:6: [application] `authors` must be a list of strings, not the string "me"
      spin.toml:7: [application] a target must be a string, `{ path = "…" }` or `{ url = "…" }`
      spin.toml:8: [application] `tool` must be a table, not the number 1
      spin.toml:10: [trigger] `http` must be a list of tables; write the header `[[trigger.http]]`
      spin.toml:12: [component] `My_Cart` is not a name of a component; write it in kebab-case: `my-cart`
      spin.toml:12: [component.My_Cart] `source` must be a path, such as "path/to/component.wasm", not the number 3
      spin.toml:12: [component.My_Cart.environment] `A` must be a string, not the number 1
      spin.toml:12: [component.My_Cart] `files` must be a list, not the string "x"
      spin.toml:12: [component.My_Cart] `build` must be a table, not the string "make"
      spin.toml:13: [component] `2cool` is not a name of a component; write it in kebab-case, each word starting with a letter
      spin.toml:13: [component] `2cool` must be a table, not the string "x.wasm"
      spin.toml:14: [component.b.files] unknown key `src`; known here: `source`
      spin.toml:14: [component.b.files] `source` is missing; write `source = "assets"`
      spin.toml:14: [component.b] `files` must be a list of globs or `{ source = "…", destination = "…" }`, not the number 3
      spin.toml:14: [component.b.build] `command` is missing; write `command = "cargo build --target wasm32-wasip2 --release"`
    "#);
    insta::assert_snapshot!(problems("application = 3"), @r"
    spin.toml has 3 problems:
      spin.toml:1: `application` must be a table, not the number 3
      spin.toml:1: `spin_manifest_version` is missing; write `spin_manifest_version = 2`
      spin.toml:1: there is no trigger; write `[[trigger.http]]` with a `route` and a `component`
    ");
    insta::assert_snapshot!(problems(""), @r#"
    spin.toml has 3 problems:
      spin.toml:1: `spin_manifest_version` is missing; write `spin_manifest_version = 2`
      spin.toml:1: `[application]` is missing; write `[application]` and below it `name = "my-app"`
      spin.toml:1: there is no trigger; write `[[trigger.http]]` with a `route` and a `component`
    "#);
}

#[test]
fn an_older_version_is_one_problem() {
    insta::assert_snapshot!(problems("spin_manifest_version = 1\nname = \"x\"\n[[component]]\nid = \"x\""), @r"
    spin.toml has 1 problem:
      spin.toml:1: this is a manifest of version 1; write it as version 2, `spin doctor` does most of it
    ");
    insta::assert_snapshot!(problems("spin_manifest_version = \"1\"\nname = \"x\""), @r"
    spin.toml has 1 problem:
      spin.toml:1: this is a manifest of version 1; write it as version 2, `spin doctor` does most of it
    ");
    insta::assert_snapshot!(problems("spin_manifest_version = true"), @r"
    spin.toml has 1 problem:
      spin.toml:1: `spin_manifest_version` must be the number 2, not `true`
    ");
}

#[test]
fn text_that_is_not_toml_is_one_problem_with_its_line() {
    insta::assert_snapshot!(problems_after_head("[component.cart\nsource = 1"), @r"
    spin.toml has 1 problem:
      spin.toml:4: this is not TOML: unclosed table, expected `]`
    ");
    insta::assert_snapshot!(problems_after_head("\n\nname = \"again\""), @r"
    spin.toml has 1 problem:
      spin.toml:6: this is not TOML: duplicate key at `name`
    ");
    insta::assert_snapshot!(problems_after_head("description = \"open"), @r#"
    spin.toml has 1 problem:
      spin.toml:4: this is not TOML: invalid basic string, expected `"`
    "#);
}

#[test]
fn tables_of_other_tools_are_left_alone() {
    let text = format!(
        "{HEAD}tool = {{ other = {{ anything = [1, {{ x = 2 }}] }} }}\n\
        [[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n\
        [component.a]\nsource = \"a.wasm\"\ntool.vendor.deep.er = true\n\
        [component.a.profile.debug]\nsource = \"debug.wasm\"\n[component.a.profile.debug.build]\ncommand = \"x\"\n"
    );
    assert_eq!(app(&text).components.len(), 1);
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    let app = app(&format!(
        "{HEAD}[[trigger.redis]]\nchannel = \"x\"\ncomponent = \"a\"\n[component.a]\nsource = \"a.wasm\"\n\
        [component.a.tool.skald.http]\nidempotent = [\"POST /x\"]\n[component.b]\nsource = \"b.wasm\"\n"
    ));
    let warnings: Vec<String> = app.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(warnings.join("\n"), @r"
    spin.toml:10: [component.a.tool.skald.http] `idempotent` has no effect: `a` answers no HTTP requests
    spin.toml:11: [component.b] nothing calls `b`: no trigger leads to it and no component depends on it
    ");
}

proptest! {
    /// Whatever a slip of the keyboard makes of a good manifest is read or refused, never a panic.
    #[test]
    fn a_damaged_manifest_is_read_or_refused(at in 0..WHOLE.len(), length in 0..12_usize, put in "[a-z\\[\\]{}=\"\n. ]{0,3}") {
        let end = (at + length).min(WHOLE.len());
        if let (Some(before), Some(after)) = (WHOLE.get(..at), WHOLE.get(end..)) {
            let damaged = format!("{before}{put}{after}");
            if let Err(problems) = App::parse(&damaged, "spin.toml") {
                prop_assert!(!problems.is_empty());
                for problem in &problems {
                    prop_assert!(problem.line >= 1 && problem.line <= damaged.split('\n').count());
                }
            }
        }
    }
}
