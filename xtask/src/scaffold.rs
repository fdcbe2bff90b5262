//! A new crate in house style.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use toml_edit::{Array, DocumentMut, Item, Table, Value, value};

use crate::tree::Tree;

/// Makes `crates/<family>/<name>` on `floor`, and enters it into the root manifest. Returns the folder.
///
/// # Errors
/// When the name is taken or no name for a crate of the house, or when a file cannot be written.
pub fn new_crate(tree: &Tree, family: &str, name: &str, floor: u32) -> Result<PathBuf> {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    ensure!(is_word(family), "`{family}` is no family: use lower-case letters");
    let is_house = name.strip_prefix("dayfly-").is_some_and(is_word);
    ensure!(is_house, "`{name}` is no name for a crate: use `dayfly-` and lower-case letters");
    let dir = PathBuf::from("crates").join(family).join(name);
    let folder = tree.root.join(&dir);
    if tree.package(name).is_some() || tree.floors.contains_key(name) || folder.exists() {
        bail!("`{name}` is there already");
    }
    for (path, text) in files(name) {
        let path = folder.join(path);
        let parent = path.parent().context("every file has a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    enter(tree, family, name, floor)?;
    Ok(dir)
}

/// Enters the crate into members, dependencies and floors, and leaves the rest of the manifest as it is written.
fn enter(tree: &Tree, family: &str, name: &str, floor: u32) -> Result<()> {
    let path = tree.root.join("Cargo.toml");
    let mut manifest: DocumentMut = fs::read_to_string(&path)?.parse().context("Cargo.toml is no TOML")?;
    let workspace = manifest["workspace"].as_table_mut().context("Cargo.toml has no [workspace]")?;

    for list in ["members", "default-members"] {
        let glob = format!("crates/{family}/*");
        if let Some(members) = workspace.get_mut(list).and_then(Item::as_array_mut)
            && !members.iter().any(|member| member.as_str() == Some(&glob))
        {
            members.push(glob);
        }
    }
    let dependencies = workspace.entry("dependencies").or_insert(Item::Table(Table::new()));
    let mut dependency = toml_edit::InlineTable::new();
    dependency.insert("path", format!("crates/{family}/{name}").into());
    dependency.insert("version", "0.1.0".into());
    dependencies[name] = value(dependency);

    let floors = workspace["metadata"]["floors"].as_table_mut().context("Cargo.toml has no floors")?;
    let crates = floors.entry(&floor.to_string()).or_insert(value(Array::new()));
    crates.as_array_mut().context("a floor is a list")?.push(Value::from(name));
    fs::write(&path, manifest.to_string()).context("cannot write Cargo.toml")
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
