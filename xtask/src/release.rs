//! A release: the version everywhere, the changelog's section, and whether every crate can be packed.
//!
//! Nothing is committed, tagged or published from here; what to do next is printed.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::semver::Version;
use clap::Subcommand;
use toml_edit::{DocumentMut, Item, value};

use crate::tree::{Package, Tree};

const UNRELEASED: &str = "## Unreleased";

/// What a release needs.
#[derive(Debug, Subcommand)]
pub enum Step {
    /// Writes the version into the root manifest and gives what is unreleased in the changelog its section.
    Cut {
        /// The new version, later than the present one.
        version: Version,
        /// The day of the release, `2026-11-21`; today unless given.
        #[arg(long)]
        date: Option<String>,
    },
    /// Packs every published crate, and says whether the changelog knows the version.
    Check {
        /// Builds each crate from its package, too.
        #[arg(long)]
        verify: bool,
    },
    /// Prints the published crates, those first that others need.
    Order,
}

/// Takes one step.
///
/// # Errors
/// When the version is not later, nothing is unreleased, or a file cannot be read or written.
pub fn run(root: &Path, step: &Step) -> Result<ExitCode> {
    let tree = Tree::load(root)?;
    match step {
        Step::Cut { version, date } => {
            let date = date.clone().unwrap_or_else(today);
            ensure!(is_date(&date), "`{date}` is no day such as 2026-11-21");
            let (manifest, changelog) = (read(&tree, "Cargo.toml")?, read(&tree, "CHANGELOG.md")?);
            // Both are made before one is written.
            let (manifest, changelog) = (bumped(&manifest, version)?, released(&changelog, version, &date)?);
            fs::write(tree.root.join("Cargo.toml"), manifest).context("cannot write Cargo.toml")?;
            fs::write(tree.root.join("CHANGELOG.md"), changelog).context("cannot write CHANGELOG.md")?;
            println!(
                "Cargo.toml and CHANGELOG.md say {version}. Next: `cargo update --workspace`, `cargo xtask release"
            );
            println!("check --verify`, commit, `git tag v{version}`, `cargo publish --workspace`.");
            Ok(ExitCode::SUCCESS)
        }
        Step::Check { verify } => check(&tree, *verify),
        Step::Order => {
            for package in order(&tree) {
                println!("{}", package.name);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Published crates, those first that others need: floors are just that order.
#[must_use]
pub fn order(tree: &Tree) -> Vec<&Package> {
    let mut crates: Vec<&Package> = tree.packages.iter().filter(|package| package.published).collect();
    crates.sort_by_key(|package| (tree.floors.get(&package.name), &package.name));
    crates
}

fn check(tree: &Tree, verify: bool) -> Result<ExitCode> {
    let manifest: DocumentMut = read(tree, "Cargo.toml")?.parse().context("Cargo.toml is no TOML")?;
    let version = version_of(&manifest)?;
    let section = format!("## {version} - ");
    if !read(tree, "CHANGELOG.md")?.lines().any(|line| line.starts_with(&section)) {
        println!("CHANGELOG.md has no section `{section}...`: run `cargo xtask release cut`");
        return Ok(ExitCode::FAILURE);
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["package", "--quiet", "--locked"]).current_dir(&tree.root);
    if !verify {
        cargo.arg("--no-verify");
    }
    for package in order(tree) {
        cargo.args(["--package", &package.name]);
    }
    let status = cargo.status().context("cannot start cargo")?;
    if !status.success() {
        return Ok(ExitCode::FAILURE);
    }
    println!("{} crates of version {version} can be published", order(tree).len());
    Ok(ExitCode::SUCCESS)
}

/// The root manifest with another version, and the house's crates asking for it.
///
/// # Errors
/// When the version is not later than the present one, or when the manifest has none.
pub fn bumped(manifest: &str, version: &Version) -> Result<String> {
    let mut manifest: DocumentMut = manifest.parse().context("Cargo.toml is no TOML")?;
    let present = version_of(&manifest)?;
    ensure!(*version > present, "{version} is not later than {present}");
    manifest["workspace"]["package"]["version"] = value(version.to_string());
    let dependencies = manifest["workspace"].get_mut("dependencies").and_then(Item::as_table_like_mut);
    for (_, dependency) in dependencies.into_iter().flat_map(|table| table.iter_mut()) {
        let Some(dependency) = dependency.as_table_like_mut() else { continue };
        if dependency.contains_key("path") && dependency.contains_key("version") {
            dependency.insert("version", value(version.to_string()));
        }
    }
    Ok(manifest.to_string())
}

/// The changelog with a section for the version, which has what was unreleased.
///
/// # Errors
/// When nothing is unreleased, or when the version has a section already.
pub fn released(changelog: &str, version: &Version, date: &str) -> Result<String> {
    let Some((before, after)) = changelog.split_once(UNRELEASED) else {
        bail!("CHANGELOG.md has no section `{UNRELEASED}`");
    };
    let section = after.split("\n## ").next().unwrap_or_default();
    ensure!(
        section.lines().any(|line| line.starts_with("- ")),
        "CHANGELOG.md: nothing stands under `{UNRELEASED}`"
    );
    let title = format!("## {version} - ");
    ensure!(
        !after.lines().any(|line| line.starts_with(&title)),
        "CHANGELOG.md has a section for {version} already"
    );
    Ok(format!("{before}{UNRELEASED}\n\n{title}{date}{after}"))
}

fn version_of(manifest: &DocumentMut) -> Result<Version> {
    let version =
        manifest.get("workspace").and_then(|workspace| workspace.get("package")?.get("version")?.as_str());
    let version = version.context("Cargo.toml: [workspace.package] has no version")?;
    version.parse().with_context(|| format!("Cargo.toml: `{version}` is no version"))
}

fn read(tree: &Tree, name: &str) -> Result<String> {
    fs::read_to_string(tree.root.join(name)).with_context(|| format!("cannot read {name}"))
}

fn today() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    now.split('T').next().unwrap_or_default().to_owned()
}

fn is_date(text: &str) -> bool {
    humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).is_ok()
}
