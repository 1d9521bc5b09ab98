//! The components that only tests use: that each of them is used, and the two that benchmarks measure.

use std::{fs, path::Path};

use anyhow::Result;
use e2e::{Host, places, skald};

#[tokio::test]
async fn the_smallest_component_answers() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = Host::start(&places::guest("hello"), data.path()).await?;
    let answer = host.client().get("/anything?at=all").await?.is(200)?;
    assert_eq!(answer.text(), "Hello from a component\n");
    assert_eq!(host.stop().await?.code, Some(0));
    Ok(())
}

/// The packages are guest-caller and guest-callee.
#[tokio::test]
async fn a_component_calls_another_by_its_contract() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = Host::start(&places::guest("mesh"), data.path()).await?;
    let client = host.client();
    for (query, calls) in [
        ("", "1\n"),
        ("?n=1000", "1000\n"),
        ("?call=reserve&n=1000", "1000\n"),
    ] {
        assert_eq!(
            client.get(&format!("/run{query}")).await?.is(200)?.text(),
            calls
        );
    }
    client.get("/run?call=nothing").await?.is(400)?;
    assert_eq!(host.stop().await?.code, Some(0));
    Ok(())
}

/// The packages are guest-saga-bench and guest-saga-shelf.
#[tokio::test]
async fn the_saga_that_benchmarks_measure_fits_what_it_calls() -> Result<()> {
    let checked = skald("check", &places::guest("saga-bench"), &[]).await?;
    // That is all there is to find: the benchmark begins its runs itself.
    insta::assert_snapshot!(checked.stderr.trim_end(), @r"
    error: 1 finding(s):
      - saga-bench.toml:16: [component.bench] nothing calls `bench`: no trigger leads to it and no component depends on it
    ");
    Ok(())
}

#[test]
fn every_guest_has_a_test_that_names_it() -> Result<()> {
    let mut tests = String::new();
    read_all(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .as_path(),
        &mut tests,
    )?;
    // Sagas are tested where each of their steps is in the test's hands.
    read_all(
        &places::workspace().join("runtime-host/crates/engine/src/tests"),
        &mut tests,
    )?;
    let mut nameless = Vec::new();
    for entry in fs::read_dir(places::workspace().join("tests/guests"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir()
            && !tests.contains(&format!("\"{name}\""))
            && !tests.contains(&format!("guest-{name}"))
        {
            nameless.push(name);
        }
    }
    assert!(
        nameless.is_empty(),
        "no test names these folders of tests/guests: {nameless:?}"
    );
    Ok(())
}

fn read_all(folder: &Path, into: &mut String) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_all(&path, into)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
