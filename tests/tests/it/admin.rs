//! Where the admin API listens, and whom it lets in.

use anyhow::Result;
use e2e::{Host, Sagas, places, redact, skald};
use http::Method;

use crate::world::World;

const TOKEN: &str = "the-bones-of-mimir";

#[tokio::test]
async fn other_machines_need_a_token() -> Result<()> {
    let data = tempfile::tempdir()?;
    let folder = data.path().to_string_lossy().into_owned();
    let up = ["--listen", "127.0.0.1:0", "--data-dir", &folder, "--admin"];
    let mut complaints = Vec::new();
    for more in [
        &["0.0.0.0:0"][..],
        &["[::]:0"],
        &["0.0.0.0:0", "--admin-token", "short"],
    ] {
        let started = skald("up", &places::shop(), &[&up[..], more].concat()).await?;
        assert_eq!(started.code, Some(64), "{started:?}");
        assert!(!started.stdout.contains("Serving"), "{started:?}");
        complaints.push(started.stderr.lines().last().unwrap_or_default().to_owned());
    }
    insta::assert_snapshot!(complaints.join("\n"), @"
    error: the admin API on 0.0.0.0:0 can be reached from other machines and needs a token; set one with --admin-token, or listen on 127.0.0.1
    error: the admin API on [::]:0 can be reached from other machines and needs a token; set one with --admin-token, or listen on 127.0.0.1
    error: the admin token has 5 characters; 16 are the least
    ");
    Ok(())
}

#[tokio::test]
async fn with_a_token_only_its_holders_are_let_in() -> Result<()> {
    let data = tempfile::tempdir()?;
    let args = ["--admin", "0.0.0.0:0", "--admin-token", TOKEN];
    let host = Host::start_with(&places::shop(), data.path(), &args).await?;
    let sagas = Sagas::new(&places::shop(), data.path());
    let client = sagas.client()?;
    let path = "/admin/v1/sagas";
    let problem = client.get(path).await?.is(401)?;
    assert!(problem.header("www-authenticate").is_some());
    insta::assert_snapshot!(redact::problem(&problem.json()?), @r#"
    {
      "code": "ADMIN-001",
      "detail": "this needs the admin token: the header `Authorization: Bearer …`, or `skald saga --admin-token`",
      "instance": "/admin/v1/sagas",
      "status": 401,
      "title": "Admin token needed",
      "trace_id": "[trace]",
      "type": "https://skald.dev/errors/ADMIN-001"
    }
    "#);
    client
        .with_token("the-bones-of-ymir")
        .get(path)
        .await?
        .is(401)?;
    client.with_token(TOKEN).get(path).await?.is(200)?;

    let refusals = [
        sagas.refused(&["ls"]).await?,
        sagas
            .refused(&["ls", "--admin-token", "the-bones-of-ymir"])
            .await?,
    ];
    insta::assert_snapshot!(refusals.join("\n"), @"
    error: this needs the admin token: the header `Authorization: Bearer …`, or `skald saga --admin-token` (ADMIN-001)
    error: this is not the admin token of this host (ADMIN-001)
    ");
    let page = sagas.say(&["ls", "--json", "--admin-token", TOKEN]).await?;
    assert_eq!(page.trim(), r#"{"items":[]}"#);
    assert_eq!(host.stop().await?.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn web_pages_are_not_let_in_and_the_public_address_has_no_admin() -> Result<()> {
    let world = World::new().await?;
    let client = world.sagas().client()?;
    let path = "/admin/v1/sagas";
    for header in [("origin", "http://evil.example"), ("host", "evil.example")] {
        client
            .ask(Method::GET, path, &[header], "".into())
            .await?
            .is(403)?;
    }
    client.get(path).await?.is(200)?;
    let public = world.client.get(path).await?;
    assert!(matches!(public.status, 401 | 404), "{public:?}");
    Ok(())
}

#[tokio::test]
async fn who_asks_where_no_host_runs_is_told_so() -> Result<()> {
    let data = tempfile::tempdir()?;
    let args = ["--admin", "off"];
    let host = Host::start_with(&places::shop(), data.path(), &args).await?;
    let sagas = Sagas::new(&places::shop(), data.path());
    let off = sagas.ask(&["ls"]).await?;
    host.stop().await?;
    let stopped = sagas.ask(&["ls"]).await?;
    assert_eq!(
        (off.code, off.stderr.as_str()),
        (stopped.code, stopped.stderr.as_str())
    );
    insta::assert_snapshot!(redact::message(&off.stderr, data.path()), @"error: no host runs on [root]; start it with `skald up`, or name one with --data-dir or --admin");
    Ok(())
}
