//! The workspace as the rules see it: packages, their manifests and sources, and the floors.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};
use walkdir::{DirEntry, WalkDir};

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
    /// What it depends on, and how.
    pub dependencies: Vec<(String, DependencyKind)>,
    /// Its manifest as text and as a table.
    pub manifest: (String, toml::Table),
    /// Its Rust files.
    pub sources: Vec<Source>,
}

/// One Rust file.
#[derive(Debug)]
pub struct Source {
    /// Its path, seen from the root.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
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
        Ok(Self { root, packages, floors, named_twice })
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
            dependencies: dependencies.map(|dependency| (dependency.name.clone(), dependency.kind)).collect(),
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

fn sources(root: &Path, dir: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    // A package in a package's folder has sources of its own.
    let foreign = |entry: &DirEntry| {
        entry.depth() > 0
            && (entry.file_name() == "target"
                || entry.file_name().as_encoded_bytes().starts_with(b".")
                || entry.path().join("Cargo.toml").exists())
    };
    for entry in WalkDir::new(dir).sort_by_file_name().into_iter().filter_entry(|entry| !foreign(entry)) {
        let entry = entry?;
        if entry.file_type().is_file() && entry.path().extension().is_some_and(|extension| extension == "rs")
        {
            let text = fs::read_to_string(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_owned();
            sources.push(Source { path, text });
        }
    }
    Ok(sources)
}
