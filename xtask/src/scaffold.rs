//! A new crate in house style.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use crate::codegen;
use crate::tree::Tree;

/// The folders under `crates/`, as `ARCHITECTURE.md` names them.
const FAMILIES: [&str; 4] = ["core", "atoms", "patterns", "state"];

/// Makes `crates/<family>/<name>` on `floor`, enters it into the root manifest and generates what is generated from it,
/// so that the crate is tidy at once. Returns the folder.
///
/// # Errors
/// When the name is taken or no name for a crate of the house, or when a file cannot be written.
pub fn new_crate(tree: &Tree, family: &str, name: &str, floor: u32) -> Result<PathBuf> {
    ensure!(FAMILIES.contains(&family), "`{family}` is no family: use one of {}", FAMILIES.join(", "));
    let is_house = name.strip_prefix("dayfly-").is_some_and(|rest| rest.split('-').all(is_word));
    ensure!(
        is_house,
        "`{name}` is no name for a crate: use `dayfly-` and words of lower-case letters and digits"
    );
    let dir = PathBuf::from("crates").join(family).join(name);
    let folder = tree.root.join(&dir);
    if tree.package(name).is_some() || tree.floors.contains_key(name) || folder.exists() {
        bail!("`{name}` is there already");
    }
    // A manifest that cannot be changed is found out before anything is written.
    let manifest = enter(tree, family, name, floor)?;
    for (path, text) in files(name) {
        let path = folder.join(path);
        let parent = path.parent().context("every file has a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    fs::write(tree.root.join("Cargo.toml"), manifest).context("cannot write Cargo.toml")?;
    for file in codegen::stale(&Tree::load(&tree.root)?)? {
        file.write(&tree.root)?;
    }
    Ok(dir)
}

/// A word of a name: letters, and digits after the first.
fn is_word(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// The root manifest with the crate among members, dependencies and floors, and the rest as it is written.
fn enter(tree: &Tree, family: &str, name: &str, floor: u32) -> Result<String> {
    let path = tree.root.join("Cargo.toml");
    let text = fs::read_to_string(&path).context("cannot read Cargo.toml")?;
    let mut manifest: DocumentMut = text.parse().context("Cargo.toml is no TOML")?;
    let workspace = manifest["workspace"].as_table_mut().context("Cargo.toml has no [workspace]")?;

    for list in ["members", "default-members"] {
        let glob = format!("crates/{family}/*");
        if let Some(members) = workspace.get_mut(list).and_then(Item::as_array_mut)
            && !members.iter().any(|member| member.as_str() == Some(&glob))
        {
            members.push(glob);
        }
    }
    let version = workspace.get("package").and_then(|package| package.get("version"));
    let version = version.and_then(Item::as_str).unwrap_or("0.1.0").to_owned();
    let dependencies = workspace.entry("dependencies").or_insert(Item::Table(Table::new()));
    let dependencies = dependencies.as_table_mut().context("[workspace.dependencies] is no table")?;
    let mut dependency = InlineTable::new();
    dependency.insert("path", format!("crates/{family}/{name}").into());
    dependency.insert("version", version.into());
    dependencies.insert(name, value(dependency));
    // The house stands together, before what others have written. The sort keeps the order within both.
    let is_foreign = |name: &str| name != "dayfly" && !name.starts_with("dayfly-");
    dependencies.sort_values_by(|one, _, other, _| is_foreign(one).cmp(&is_foreign(other)));

    let floors = workspace["metadata"]["floors"]
        .as_table_mut()
        .context("Cargo.toml has no table [workspace.metadata.floors]")?;
    let crates = floors.entry(&floor.to_string()).or_insert(value(Array::new()));
    crates.as_array_mut().context("a floor is a list")?.push(Value::from(name));
    let number = |floor: &str| floor.parse::<u32>().ok();
    floors.sort_values_by(|one, _, other, _| number(one).cmp(&number(other)));
    Ok(manifest.to_string())
}

fn files(name: &str) -> [(&'static str, String); 4] {
    let manifest = format!(
        r#"[package]
name = "{name}"
description = "What it does, in one line"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
authors.workspace = true
categories.workspace = true
keywords.workspace = true
readme = "README.md"

[lints]
workspace = true
"#
    );
    let lib = "\
//! What it does, in one line.
//!
//! The decision that this crate owns, and one example that runs.
//!
//! # Guarantees
//! - What always holds.
//!
//! # Limits
//! - What it does not do.
//!
//! # When to use something else
//! - What serves better, and when.
";
    let tests = "//! What the crate promises, one module per behaviour.\n";
    [
        ("Cargo.toml", manifest),
        ("src/lib.rs", lib.to_owned()),
        ("tests/it/main.rs", tests.to_owned()),
        ("README.md", String::new()),
    ]
}
