//! Mistakes in a manifest or a component: told at once, all together, with what to do; and exit code 64.

use std::{fs, path::Path};

use anyhow::Result;
use e2e::{Output, places, redact, skald};
use tempfile::TempDir;

/// A folder with a manifest in it.
struct Folder(TempDir);

impl Folder {
    fn new(manifest: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("spin.toml"), manifest)?;
        Ok(Self(folder))
    }

    /// With a component that a package of the workspace was built into.
    fn with(self, package: &str) -> Result<Self> {
        let wasm = places::wasm(package);
        let name = wasm.file_name().unwrap_or_default();
        fs::copy(&wasm, self.0.path().join(name))?;
        Ok(self)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    async fn run(&self, verb: &str, args: &[&str]) -> Result<Output> {
        skald(verb, &self.path().join("spin.toml"), args).await
    }

    /// What `check` complains about, after it was seen that `up` complains about the same.
    async fn complaint(&self) -> Result<String> {
        let checked = self.run("check", &[]).await?;
        assert_eq!(checked.code, Some(64), "{checked:?}");
        assert_eq!(checked.stdout, "");
        let data = self.path().join("data").to_string_lossy().into_owned();
        let up = self
            .run("up", &["--listen", "127.0.0.1:0", "--data-dir", &data])
            .await?;
        // What was logged before the end is for machines.
        let words = up
            .stderr
            .find("error: ")
            .and_then(|start| up.stderr.get(start..));
        assert_eq!((up.code, words), (Some(64), Some(checked.stderr.as_str())));
        assert!(!up.stdout.contains("Serving"), "{up:?}");
        Ok(redact::message(&checked.stderr, self.path()))
    }
}

/// The beginning of a manifest.
const HEAD: &str = "spin_manifest_version = 2\n\n[application]\nname = \"x\"\n";

/// A manifest with these components and something to do, since one without is a mistake of its own.
fn manifest(tables: &str) -> String {
    format!(
        "{HEAD}\n[[trigger.http]]\nroute = \"/up\"\nstatic_response = {{ body = \"up\" }}\n\n{tables}"
    )
}

#[tokio::test]
async fn the_shop_fits_together() -> Result<()> {
    let checked = skald("check", &places::shop(), &[]).await?;
    assert_eq!(
        (checked.code, checked.stderr.as_str()),
        (Some(0), ""),
        "{checked:?}"
    );
    assert!(
        checked.stdout.contains("shop:inventory/api@1.0.0"),
        "{}",
        checked.stdout
    );
    Ok(())
}

#[tokio::test]
async fn the_routes_of_the_shop_are_shown() -> Result<()> {
    let shown = skald("routes", &places::shop(), &[]).await?;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for route in [
        "/api/v1/orders/:id/payment",
        "/api/v1/orders/:id/cancellation",
        "/api/v1/orders/:id/return",
        "http://psp.spin.internal",
        "/.well-known/jwks.json",
    ] {
        assert!(
            shown.stdout.contains(route),
            "{route} is not in\n{}",
            shown.stdout
        );
    }
    Ok(())
}

#[tokio::test]
async fn all_mistakes_of_a_manifest_are_told_at_once() -> Result<()> {
    let folder = Folder::new(&format!(
        r#"{HEAD}nmae = "y"

[application.tool.skald.http]
body_limit = "1MB"

[[trigger.http]]
route = "/cart/..."
component = "crat"

[component.cart]
sorce = "cart.wasm"
key_value_stores = ["My Store"]

[component.cart.tool.skald]
deadline = 10
memory = "64"
"#
    ))?;
    insta::assert_snapshot!(folder.complaint().await?, @r#"
    error: spin.toml has 7 problems:
      spin.toml:5: [application] unknown key `nmae`; known here: `authors`, `description`, `targets`, `trigger`, `version`
      spin.toml:8: [application.tool.skald.http] `body_limit`: `1MB` is not a size; did you mean `1MiB`?
      spin.toml:12: [[trigger.http]] there is no component `crat`; did you mean `cart`?
      spin.toml:15: [component.cart] unknown key `sorce`; did you mean `source`?
      spin.toml:16: [component.cart] `My Store` is not a label of a store; write it in kebab-case or snake_case: `my-store`
      spin.toml:19: [component.cart.tool.skald] `deadline` must be a duration such as "10s", not the number 10
      spin.toml:20: [component.cart.tool.skald] `memory`: `64` has no unit; did you mean `64MiB`?
    "#);
    Ok(())
}

#[tokio::test]
async fn a_manifest_that_is_not_toml_is_told_so() -> Result<()> {
    let folder = Folder::new("spin_manifest_version = 2\n[application\nname = \"x\"\n")?;
    insta::assert_snapshot!(folder.complaint().await?, @"
    error: spin.toml has 1 problem:
      spin.toml:2: this is not TOML: unclosed table, expected `]`
    ");
    Ok(())
}

#[tokio::test]
async fn a_manifest_that_is_not_there_is_told_so() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let checked = skald("check", &folder.path().join("spin.toml"), &[]).await?;
    assert_eq!(checked.code, Some(64), "{checked:?}");
    insta::assert_snapshot!(redact::message(&checked.stderr, folder.path()), @"error: [root]/spin.toml cannot be read: No such file or directory (os error 2); name the manifest with --from");
    Ok(())
}

#[tokio::test]
async fn components_that_are_not_there_are_all_named() -> Result<()> {
    let folder = Folder::new(&manifest(
        "[component.one]\nsource = \"one.wasm\"\n\n[component.two]\nsource = \"two.wasm\"\n",
    ))?;
    insta::assert_snapshot!(folder.complaint().await?, @"
    error: one: cannot read [root]/one.wasm: No such file or directory (os error 2); build it with `cargo xtask build`, or correct `source`
    two: cannot read [root]/two.wasm: No such file or directory (os error 2); build it with `cargo xtask build`, or correct `source`
    ");
    Ok(())
}

#[tokio::test]
async fn a_component_that_is_cut_off_is_no_component() -> Result<()> {
    let folder = Folder::new(&manifest(
        "[component.hello]\nsource = \"guest_hello.wasm\"\n",
    ))?
    .with("guest-hello")?;
    let file = folder.path().join("guest_hello.wasm");
    let whole = fs::read(&file)?;
    fs::write(&file, whole.get(..whole.len() / 2).unwrap_or_default())?;
    // Where it broke off differs from build to build.
    let complaint = folder.complaint().await?;
    let (what, _) = complaint
        .split_once(": section range")
        .unwrap_or((&complaint, ""));
    insta::assert_snapshot!(what, @"error: hello: [root]/guest_hello.wasm is not a WebAssembly component: failed to parse WebAssembly module: wasm component contains an invalid module section");
    Ok(())
}

#[tokio::test]
async fn text_is_no_component() -> Result<()> {
    let folder = Folder::new(&manifest("[component.hello]\nsource = \"hello.wasm\"\n"))?;
    fs::write(folder.path().join("hello.wasm"), "not at all")?;
    insta::assert_snapshot!(folder.complaint().await?, @"
    error: hello: [root]/hello.wasm is not a WebAssembly component: failed to parse WebAssembly module: magic header not detected: bad magic number
    ");
    Ok(())
}

#[tokio::test]
async fn imports_that_nobody_meets_are_all_named_with_who_could() -> Result<()> {
    let tables = "[component.caller]\nsource = \"guest_caller.wasm\"\n\n[component.callee]\nsource = \"guest_callee.wasm\"\n";
    let folder = Folder::new(&manifest(tables))?
        .with("guest-caller")?
        .with("guest-callee")?;
    insta::assert_snapshot!(folder.complaint().await?, @r#"
    error: 1 import problem(s):
      - caller: imports bench:callee/api@1.0.0, which nothing provides; write "bench:callee" = { component = "callee" } under [component.caller.dependencies]
    "#);
    Ok(())
}

#[tokio::test]
async fn a_dependency_that_exports_another_type_is_shown_with_both() -> Result<()> {
    let tables = r#"[component.stranger]
source = "guest_stranger.wasm"

[component.stranger.dependencies]
"shop:inventory" = { component = "inventory" }

[component.inventory]
source = "inventory.wasm"
key_value_stores = ["inventory"]
variables = { opening_stock = "100" }
"#;
    let folder = Folder::new(&manifest(tables))?
        .with("guest-stranger")?
        .with("inventory")?;
    insta::assert_snapshot!(folder.complaint().await?, @"
    error: 1 import problem(s):
      - stranger: imports shop:inventory/api@1.0.0#reserve, but inventory exports another type
          imported: func(order: string, lines: list<record { sku: string, quantity: u64 }>) -> result<_, variant { unknown-sku(string), out-of-stock(record { sku: string, wanted: u32, available: u32 }), invalid(string), expired(string), released(string) }>
          exported: func(order: string, lines: list<record { sku: string, quantity: u32 }>) -> result<_, variant { unknown-sku(string), out-of-stock(record { sku: string, wanted: u32, available: u32 }), invalid(string), expired(string), released(string) }>; bring wit/ of stranger and inventory to one version
    ");
    Ok(())
}

#[tokio::test]
async fn what_is_not_granted_is_not_linked() -> Result<()> {
    let tables = "[component.unruly]\nsource = \"guest_unruly.wasm\"\n";
    let folder = Folder::new(&manifest(tables))?.with("guest-unruly")?;
    insta::assert_snapshot!(folder.complaint().await?, @r#"
    error: 2 import problem(s):
      - unruly: imports spin:redis/redis@3.0.0 but may reach no host; add allowed_outbound_hosts = ["scheme://host:port"] to the component, or build it without that import
      - unruly: imports wasi:keyvalue/store@0.2.0-draft2 but is granted no store; add key_value_stores = ["…"] to the component, or build it without that import
    "#);
    Ok(())
}

#[tokio::test]
async fn what_a_saga_may_not_have_is_refused() -> Result<()> {
    let tables = "[component.unruly]\nsource = \"guest_unruly.wasm\"\nkey_value_stores = [\"default\"]\n\n[component.unruly.tool.skald]\nsaga = true\natomic = true\n";
    let folder = Folder::new(&manifest(tables))?.with("guest-unruly")?;
    insta::assert_snapshot!(folder.complaint().await?, @"
    error: spin.toml has 2 problems:
      spin.toml:12: [component.unruly] a saga cannot have `key_value_stores`: after a crash its code runs again from the beginning and has to see the same as before; leave it to a component that it calls
      spin.toml:16: [component.unruly.tool.skald] `atomic` means nothing for a saga, since it has no data of its own; leave it out
    ");
    Ok(())
}

#[tokio::test]
async fn what_a_saga_may_not_import_is_named() -> Result<()> {
    let tables = "[component.unruly]\nsource = \"guest_unruly.wasm\"\n\n[component.unruly.tool.skald]\nsaga = true\n";
    let folder = Folder::new(&manifest(tables))?.with("guest-unruly")?;
    insta::assert_snapshot!(folder.complaint().await?, @"
    error: 2 import problem(s):
      - unruly: imports spin:redis/redis@3.0.0, which a saga cannot have; a replay would send everything once more; let a component that it calls do it, as a step
      - unruly: imports wasi:keyvalue/store@0.2.0-draft2, which a saga cannot have; a replay would find other data; let a component that it calls keep them
    ");
    Ok(())
}

#[tokio::test]
async fn a_route_to_a_component_that_has_no_http_is_told_so() -> Result<()> {
    let tables = "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"callee\"\n\n[[trigger.redis]]\nchannel = \"news\"\naddress = \"redis://localhost:6379\"\ncomponent = \"callee\"\n\n[component.callee]\nsource = \"guest_callee.wasm\"\n";
    let folder = Folder::new(&manifest(tables).replace(
        "name = \"x\"\n",
        "name = \"x\"\n\n[application.trigger.redis]\naddress = \"redis://localhost:6379\"\n",
    ))?
    .with("guest-callee")?;
    insta::assert_snapshot!(folder.complaint().await?, @"
    error: 2 import problem(s):
      - callee: has a route but exports no wasi:http/handler@0.3; export it (spin-sdk: #[http_service]), or remove the route
      - callee: has a redis trigger but exports no spin:redis/inbound-redis@3.0.0; export it (spin-sdk: #[redis_subscriber]), or remove the trigger
    ");
    Ok(())
}

#[tokio::test]
async fn a_grant_that_nobody_uses_fails_the_check() -> Result<()> {
    let tables = "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"hello\"\n\n[component.hello]\nsource = \"guest_hello.wasm\"\nkey_value_stores = [\"spare\"]\nallowed_outbound_hosts = [\"https://example.com\"]\n";
    let folder = Folder::new(&manifest(tables))?.with("guest-hello")?;
    let checked = folder.run("check", &[]).await?;
    assert_eq!(checked.code, Some(64), "{checked:?}");
    insta::assert_snapshot!(redact::message(&checked.stderr, folder.path()), @r#"
    error: 2 finding(s):
      - hello: key_value_stores grants ["spare"], which it never opens; remove it, so that the component can do no more than it must
      - hello: allowed_outbound_hosts grants ["https://example.com"], which it never reaches; remove it, so that the component can do no more than it must
    "#);
    Ok(())
}

#[tokio::test]
async fn a_variable_without_value_is_asked_for() -> Result<()> {
    let tables = "[variables]\npsp = { required = true }\n\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"hello\"\n\n[component.hello]\nsource = \"guest_hello.wasm\"\nvariables = { psp = \"{{ psp }}\" }\n";
    let folder = Folder::new(&manifest(tables))?.with("guest-hello")?;
    insta::assert_snapshot!(folder.complaint().await?, @"
    error: the variables have 1 problem:
      `psp` has no value; pass `--variable psp=…` or set SPIN_VARIABLE_PSP
    ");
    let given = folder.run("check", &["--variable", "psp=here"]).await?;
    assert_eq!(given.code, Some(0), "{given:?}");
    Ok(())
}
