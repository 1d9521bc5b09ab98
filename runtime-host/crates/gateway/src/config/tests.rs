//! From a manifest to a gateway's settings.

use skald_core::{
    manifest::{App, ComponentId},
    route::MethodPattern,
};
use tokio::sync::watch;

use super::{Config, ConfigError, Jwks, Target};

const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "shop"
[application.tool.skald.http]
body_limit = "2MiB"
[application.tool.skald.http.auth]
issuer = "shop"
audience = "shop"
jwks = "http://identity.spin.internal/.well-known/jwks.json"
public = ["POST /api/v1/users"]
[[trigger.http]]
route = "/api/v1/users/..."
component = "identity"
[[trigger.http]]
route = "/api/v1/orders/..."
component = "orders"
[[trigger.http]]
route = "/about"
static_response = { status_code = 418, headers = { x-kind = "teapot" }, body = "short" }
[[trigger.http]]
route = { private = true }
component = "psp"
[component.identity]
source = "identity.wasm"
[component.orders]
source = "orders.wasm"
[component.orders.tool.skald.http]
idempotent = ["POST /api/v1/orders"]
body_limit = "64KiB"
[component.psp]
source = "psp.wasm"
"#;

#[test]
fn a_manifest_makes_a_gateway() {
    let app = App::parse(MANIFEST, "spin.toml").unwrap();
    let config = Config::of(&app, watch::channel(true).1).unwrap();
    let routes: Vec<String> = config
        .routes
        .iter()
        .map(|(pattern, target)| match target {
            Target::Component(component) => {
                let idempotent: Vec<_> = component
                    .idempotent
                    .iter()
                    .map(MethodPattern::to_string)
                    .collect();
                format!(
                    "{pattern} -> {} {} {idempotent:?}",
                    component.id, component.body_limit
                )
            }
            Target::Static(answer) => {
                format!("{pattern} -> {} {:?}", answer.status(), answer.body())
            }
        })
        .collect();
    insta::assert_snapshot!(routes.join("\n"), @r#"
    /api/v1/users/... -> identity 2MiB []
    /api/v1/orders/... -> orders 64KiB ["POST /api/v1/orders"]
    /about -> 418 I'm a teapot b"short"
    "#);
    let auth = config.auth.unwrap();
    assert_eq!(auth.jwks.component, ComponentId::from("identity"));
    assert_eq!(auth.jwks.path, "/.well-known/jwks.json");
    assert_eq!(auth.public.len(), 1);
}

#[test]
fn keys_come_from_a_component() {
    for wrong in [
        "https://identity.spin.internal/x",
        "http://example.com/x",
        "http://.spin.internal/",
        "nonsense",
        "",
    ] {
        assert_eq!(Jwks::parse(wrong), Err(ConfigError::Jwks(wrong.to_owned())));
    }
    insta::assert_snapshot!(Jwks::parse("http://example.com/x").unwrap_err(), @"`jwks` is `http://example.com/x`; write `http://<component>.spin.internal/<path>`");
}
