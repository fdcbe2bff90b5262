//! Files that are made from others, so that nobody keeps them by hand.

mod floors;
mod readme;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::tree::Tree;

/// A file whose text is not what it should be.
#[derive(Debug)]
pub struct Stale {
    /// Where it stands, seen from the root.
    pub path: PathBuf,
    text: String,
}

impl Stale {
    /// Writes what the file should hold.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<()> {
        let path = root.join(&self.path);
        fs::write(&path, &self.text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Every generated file that is stale.
///
/// # Errors
/// When a source of one cannot be read, or a file with a generated part lacks the markers around it.
pub fn stale(tree: &Tree) -> Result<Vec<Stale>> {
    let mut wanted = vec![
        between(tree, "README.md", "crates", &table::render(tree))?,
        between(tree, "ARCHITECTURE.md", "floors", &floors::render(tree))?,
    ];
    for package in tree.packages.iter().filter(|package| package.published) {
        wanted.push(Stale { path: package.dir.join("README.md"), text: readme::render(package)? });
    }
    let is_stale =
        |file: &Stale| fs::read_to_string(tree.root.join(&file.path)).ok().as_ref() != Some(&file.text);
    Ok(wanted.into_iter().filter(is_stale).collect())
}

/// The file at `path` with `part` between its markers.
fn between(tree: &Tree, path: &str, marker: &str, part: &str) -> Result<Stale> {
    let text = fs::read_to_string(tree.root.join(path)).with_context(|| format!("cannot read {path}"))?;
    let (begin, end) = (format!("<!-- {marker}:begin -->\n"), format!("<!-- {marker}:end -->"));
    let Some((head, rest)) = text.split_once(&begin) else {
        bail!("{path} lacks the line `{}`", begin.trim_end())
    };
    let Some((_, tail)) = rest.split_once(&end) else { bail!("{path} lacks the line `{end}`") };
    Ok(Stale { path: path.into(), text: format!("{head}{begin}{part}{end}{tail}") })
}
