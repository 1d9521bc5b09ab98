//! Finds a contract on the disk, with the other packages it mentions.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use wit_parser::{PackageId, PackageName, Resolve, SourceMap, UnresolvedPackageGroup as Group};

use crate::error::Problem;

/// What was found around a contract.
#[derive(Default)]
struct Neighbours {
    packages: BTreeMap<PackageName, Group>,
    /// Most of the time a neighbour does not matter, so that one that cannot be read is no error by itself.
    unreadable: Vec<PathBuf>,
}

/// Parses the package at `path` with whatever it needs.
pub(crate) fn load(path: &Path) -> Result<(Resolve, PackageId), Problem> {
    let main = parse(path)?;
    let dependencies = dependencies(path, &main)?;
    let mut resolve = Resolve::default();
    let pushed = resolve.push_groups(main, dependencies);
    let package = pushed.map_err(|error| Problem::Syntax(resolve.render_error(&error.into())))?;
    Ok((resolve, package))
}

/// The packages that `main` mentions, and those that they mention.
fn dependencies(path: &Path, main: &Group) -> Result<Vec<Group>, Problem> {
    let mut wanted = mentioned_by(main);
    let mut known: BTreeSet<_> = held_by(main).collect();
    wanted.retain(|name| !known.contains(name));
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut neighbours = Neighbours::around(path);
    let mut found = Vec::new();
    while let Some(name) = wanted.pop() {
        if !known.insert(name.clone()) {
            continue;
        }
        let Some(group) = neighbours.packages.remove(&name) else {
            return Err(Problem::Missing {
                package: name.to_string(),
                unreadable: neighbours.unreadable,
            });
        };
        wanted.extend(mentioned_by(&group));
        known.extend(held_by(&group));
        found.push(group);
    }
    Ok(found)
}

// === impl Neighbours ===

impl Neighbours {
    fn around(path: &Path) -> Self {
        let folder = match path.parent() {
            Some(parent) if path.is_file() => parent,
            _ => path,
        };
        let mut neighbours = Self::default();
        for place in ["deps", "..", "../deps"] {
            for entry in entries(&folder.join(place)).unwrap_or_default() {
                neighbours.add(entry);
            }
        }
        neighbours
    }

    fn add(&mut self, path: PathBuf) {
        if !path.is_dir() && !is_wit(&path) {
            return;
        }
        match parse(&path) {
            // The first one counts: what is in the contract's own `deps` goes before what is beside it.
            Ok(group) => {
                let name = group.main.name.clone();
                self.packages.entry(name).or_insert(group);
            }
            Err(Problem::NoFiles) => (),
            Err(_) => self.unreadable.push(path),
        }
    }
}

fn held_by(group: &Group) -> impl Iterator<Item = PackageName> {
    let packages = [&group.main].into_iter().chain(&group.nested);
    packages.map(|package| package.name.clone())
}

fn mentioned_by(group: &Group) -> Vec<PackageName> {
    let packages = [&group.main].into_iter().chain(&group.nested);
    packages
        .flat_map(|package| package.foreign_deps.keys().cloned())
        .collect()
}

fn parse(path: &Path) -> Result<Group, Problem> {
    let mut sources = SourceMap::default();
    for file in files(path)? {
        let text = fs::read_to_string(&file).map_err(Problem::Unreadable)?;
        sources.push(&file, text);
    }
    let parsed = sources.parse();
    parsed.map_err(|(sources, error)| Problem::Syntax(error.render(&sources)))
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Problem> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = entries(path).map_err(Problem::Unreadable)?;
    files.retain(|file| is_wit(file) && file.is_file());
    if files.is_empty() {
        return Err(Problem::NoFiles);
    }
    Ok(files)
}

/// What is in a folder, in the order of names: a disk has no order of its own.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn is_wit(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wit")
}
