//! Compiled components on disk, so that the next start need not compile.
//!
//! An entry is named by the digest of the wasm and the engine's own compatibility hash, and carries its own digest:
//! a truncated or altered file is compiled again, never loaded.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use skald_core::hex;
use wasmtime::{Engine, component::Component};

use crate::flavour::{Engines, Flavour, needed};

/// Where a component's code came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Compiled now.
    Compiled,
    /// Read from the cache.
    Cached,
}

/// A component ready to be linked.
pub(crate) struct Loaded {
    pub(crate) component: Component,
    pub(crate) flavour: Flavour,
    pub(crate) origin: Origin,
    /// The digest of its wasm: the component's revision.
    pub(crate) revision: String,
}

/// Loads a component from the cache, or compiles it and puts it there.
pub(crate) fn load(
    engines: &Engines,
    cache: Option<&Path>,
    wasm: &[u8],
) -> wasmtime::Result<Loaded> {
    let revision = hex::digits(&Sha256::digest(wasm));
    for flavour in [Flavour::Plain, Flavour::Concurrent] {
        let Some(directory) = cache else { break };
        let entry = Entry::new(directory, &revision, engines.get(flavour));
        if let Some(component) = entry.read(engines.get(flavour)) {
            return Ok(Loaded {
                component,
                flavour,
                origin: Origin::Cached,
                revision,
            });
        }
    }
    let flavour = needed(wasm);
    let engine = engines.get(flavour);
    let component = Component::from_binary(engine, wasm)?;
    if let Some(directory) = cache {
        let entry = Entry::new(directory, &revision, engine);
        // The cache only saves time; a host without one is slower to start, nothing else.
        if let Err(error) = component
            .serialize()
            .map_err(io::Error::other)
            .and_then(|code| entry.write(&code))
        {
            tracing::warn!(%error, directory = %directory.display(), "the compile cache cannot be written");
        }
    }
    Ok(Loaded {
        component,
        flavour,
        origin: Origin::Compiled,
        revision,
    })
}

/// One file of the cache: the code, with its digest beside it.
struct Entry {
    code: PathBuf,
    digest: PathBuf,
}

impl Entry {
    fn new(directory: &Path, revision: &str, engine: &Engine) -> Self {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let name = format!("{revision}-{:016x}", hasher.finish());
        Self {
            code: directory.join(format!("{name}.cwasm")),
            digest: directory.join(format!("{name}.sha256")),
        }
    }

    fn read(&self, engine: &Engine) -> Option<Component> {
        let expected = fs::read_to_string(&self.digest).ok()?;
        let code = fs::read(&self.code).ok()?;
        if hex::digits(&Sha256::digest(&code)) != expected {
            tracing::warn!(file = %self.code.display(), "a damaged file of the compile cache is compiled anew");
            return None;
        }
        drop(code);
        deserialize(engine, &self.code)
    }

    fn write(&self, code: &[u8]) -> io::Result<()> {
        if let Some(directory) = self.code.parent() {
            fs::create_dir_all(directory)?;
        }
        replace(&self.code, code)?;
        replace(&self.digest, hex::digits(&Sha256::digest(code)).as_bytes())
    }
}

/// Maps the file into memory: many times faster than reading it, and its pages are shared.
#[expect(
    unsafe_code,
    reason = "wasmtime trusts the file; its digest was checked and only this host writes it"
)]
fn deserialize(engine: &Engine, path: &Path) -> Option<Component> {
    // SAFETY: the file's digest is that of code this module serialized, under a name that binds it to the engine.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

/// Puts a file in place whole, so that no reader sees half of it.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(format!("{}.partial", std::process::id()));
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(content)?;
    drop(file);
    fs::rename(unfinished, path)
}
