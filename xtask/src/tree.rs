//! The workspace as the rules see it: packages, their manifests and sources, and the floors.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};
use walkdir::{DirEntry, WalkDir};

use crate::source::test_modules;

/// A workspace, read once.
#[derive(Debug)]
pub struct Tree {
    /// The folder of the root manifest.
    pub root: PathBuf,
    /// Member packages by name.
    pub packages: Vec<Package>,
    /// On which floor each named crate stands, in the order of the root manifest.
    pub floors: BTreeMap<String, u32>,
    /// Crates that the floors name more than once.
    pub named_twice: Vec<String>,
    /// Manifests under `crates/` that belong to no member, seen from the root.
    pub strays: Vec<PathBuf>,
}

/// One member of the workspace.
#[derive(Debug)]
pub struct Package {
    /// The package's name.
    pub name: String,
    /// Its folder, seen from the root.
    pub dir: PathBuf,
    /// Whether it is meant for a registry.
    pub published: bool,
    /// Its one-line description.
    pub description: String,
    /// What it depends on: of every kind, for every target, optional or not.
    pub dependencies: Vec<Dependency>,
    /// Its manifest as text and as a table.
    pub manifest: (String, toml::Table),
    /// Its Rust files.
    pub sources: Vec<Source>,
}

/// One dependency of a package.
#[derive(Debug)]
pub struct Dependency {
    /// The name of the package that it is, whatever it is called here.
    pub name: String,
    /// The key under which it stands in the manifest.
    pub key: String,
    /// For the library, for its tests or for its build script.
    pub kind: DependencyKind,
    /// Whether it is a folder of this machine.
    pub is_path: bool,
}

/// One Rust file.
#[derive(Debug)]
pub struct Source {
    /// Its path, seen from the root.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// What it says, when it can be parsed.
    pub syntax: syn::Result<syn::File>,
    /// Whether it exists for tests only: it stands under `tests/`, or its `mod` is `#[cfg(test)]`.
    pub is_test: bool,
}

impl Tree {
    /// Reads the workspace at `root`. Nothing is fetched and nothing is built.
    ///
    /// # Errors
    /// When `cargo metadata` fails there, when a file cannot be read, or when the floors are malformed.
    pub fn load(root: &Path) -> Result<Self> {
        let root = root.canonicalize().with_context(|| format!("no workspace at {}", root.display()))?;
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .other_options(vec!["--offline".into()])
            .exec()?;
        let mut floors = BTreeMap::new();
        let mut named_twice = Vec::new();
        let table = metadata.workspace_metadata.get("floors").and_then(|floors| floors.as_object());
        let Some(table) = table else { bail!("Cargo.toml: [workspace.metadata.floors] is missing") };
        for (floor, crates) in table {
            let number =
                floor.parse().with_context(|| format!("Cargo.toml: floor `{floor}` is no number"))?;
            let crates =
                crates.as_array().with_context(|| format!("Cargo.toml: floor {floor} is no list"))?;
            for name in crates {
                let name =
                    name.as_str().with_context(|| format!("Cargo.toml: floor {floor} holds no name"))?;
                if floors.insert(name.to_owned(), number).is_some() {
                    named_twice.push(name.to_owned());
                }
            }
        }
        let packages = metadata.workspace_packages();
        let mut packages =
            packages.into_iter().map(|package| Package::load(&root, package)).collect::<Result<Vec<_>>>()?;
        packages.sort_by(|one, other| one.name.cmp(&other.name));
        let strays = strays(&root, &packages)?;
        Ok(Self { root, packages, floors, named_twice, strays })
    }

    /// Every Rust file, with its package.
    pub fn sources(&self) -> impl Iterator<Item = (&Package, &Source)> {
        self.packages.iter().flat_map(|package| package.sources.iter().map(move |source| (package, source)))
    }

    /// The member of this name.
    #[must_use]
    pub fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }
}

impl Package {
    fn load(root: &Path, package: &cargo_metadata::Package) -> Result<Self> {
        let path = package.manifest_path.as_std_path();
        let dir = path.parent().unwrap_or(root);
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let table = text.parse().with_context(|| format!("{} is no TOML", path.display()))?;
        let dependencies = package.dependencies.iter();
        Ok(Self {
            name: package.name.to_string(),
            dir: dir.strip_prefix(root).unwrap_or(dir).to_owned(),
            published: package.publish.as_ref().is_none_or(|registries| !registries.is_empty()),
            description: package.description.clone().unwrap_or_default(),
            dependencies: dependencies.map(Dependency::load).collect(),
            manifest: (text, table),
            sources: sources(root, dir)?,
        })
    }

    /// Where the manifest stands, seen from the root.
    #[must_use]
    pub fn manifest_path(&self) -> PathBuf {
        self.dir.join("Cargo.toml")
    }

    /// The crate's own name for the file at `path` inside it: `src/lib.rs` for example.
    #[must_use]
    pub fn inside<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.dir).unwrap_or(path)
    }
}

impl Dependency {
    fn load(dependency: &cargo_metadata::Dependency) -> Self {
        Self {
            name: dependency.name.clone(),
            key: dependency.rename.clone().unwrap_or_else(|| dependency.name.clone()),
            kind: dependency.kind,
            is_path: dependency.path.is_some(),
        }
    }
}

/// Build output and hidden folders; a module may well be called `target`, so that name counts only beside a manifest.
fn is_output(entry: &DirEntry) -> bool {
    let is_target = entry.file_name() == "target"
        && entry.path().parent().is_some_and(|parent| parent.join("Cargo.toml").exists());
    entry.depth() > 0 && (is_target || entry.file_name().as_encoded_bytes().starts_with(b"."))
}

fn sources(root: &Path, dir: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    // A package in a package's folder has sources of its own.
    let foreign = |entry: &DirEntry| {
        is_output(entry) || (entry.depth() > 0 && entry.path().join("Cargo.toml").exists())
    };
    for entry in WalkDir::new(dir).sort_by_file_name().into_iter().filter_entry(|entry| !foreign(entry)) {
        let entry = entry?;
        if entry.file_type().is_file() && entry.path().extension().is_some_and(|extension| extension == "rs")
        {
            let text = fs::read_to_string(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            let is_test = entry.path().strip_prefix(dir).is_ok_and(|path| path.starts_with("tests"));
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_owned();
            let syntax = syn::parse_file(&text);
            sources.push(Source { path, text, syntax, is_test });
        }
    }
    let of_tests: Vec<PathBuf> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        // The module `x` is `x.rs` or `x/mod.rs`, and its own modules stand in `x/`.
        let module = source.path.with_extension("");
        source.is_test |= of_tests.iter().any(|path| module.starts_with(path));
    }
    Ok(sources)
}

impl Source {
    /// The modules for tests that this file names and that stand in files of their own, without the extension.
    fn test_modules(&self) -> Vec<PathBuf> {
        let Ok(file) = &self.syntax else { return Vec::new() };
        let is_root = ["lib", "main", "mod"].iter().any(|stem| self.path.file_stem() == Some(stem.as_ref()));
        let folder = if is_root {
            self.path.parent().map(Path::to_owned).unwrap_or_default()
        } else {
            self.path.with_extension("")
        };
        let modules = test_modules(&file.items).into_iter();
        modules.map(|module| folder.join(module.iter().collect::<PathBuf>())).collect()
    }
}

/// A folder that the list of members does not name is a crate that nobody builds and no rule sees.
fn strays(root: &Path, packages: &[Package]) -> Result<Vec<PathBuf>> {
    let mut strays = Vec::new();
    let crates = root.join("crates");
    if !crates.is_dir() {
        return Ok(strays);
    }
    for entry in WalkDir::new(crates).sort_by_file_name().into_iter().filter_entry(|entry| !is_output(entry))
    {
        let entry = entry?;
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
        if entry.file_name() == "Cargo.toml"
            && !packages.iter().any(|package| package.manifest_path() == path)
        {
            strays.push(path.to_owned());
        }
    }
    Ok(strays)
}
