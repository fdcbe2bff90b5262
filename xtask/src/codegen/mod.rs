//! Files that are made from others, so that nobody keeps them by hand.

mod floors;
mod readme;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::tree::Tree;

/// A generated file, as it should be.
#[derive(Debug)]
pub struct Generated {
    /// Where it stands, seen from the root.
    pub path: PathBuf,
    text: String,
}

impl Generated {
    /// Whether the file in the tree is missing or holds something else.
    #[must_use]
    pub fn is_stale(&self, root: &Path) -> bool {
        fs::read_to_string(root.join(&self.path)).ok().as_ref() != Some(&self.text)
    }

    /// Writes what the file should hold.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<()> {
        let path = root.join(&self.path);
        fs::write(&path, &self.text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Every generated file by its path, or what keeps it from being generated.
#[must_use]
pub fn files(tree: &Tree) -> Vec<(PathBuf, Result<Generated>)> {
    let mut files = vec![
        ("README.md".into(), between(tree, "README.md", "crates", &table::render(tree))),
        ("ARCHITECTURE.md".into(), between(tree, "ARCHITECTURE.md", "floors", &floors::render(tree))),
    ];
    for package in tree.packages.iter().filter(|package| package.published) {
        let path = package.dir.join("README.md");
        let file = readme::render(package).map(|text| Generated { path: path.clone(), text });
        files.push((path, file));
    }
    files
}

/// Every generated file that is stale.
///
/// # Errors
/// When a source of one cannot be read, or a file with a generated part lacks the markers around it.
pub fn stale(tree: &Tree) -> Result<Vec<Generated>> {
    let files: Vec<Generated> = files(tree).into_iter().map(|(_, file)| file).collect::<Result<_>>()?;
    Ok(files.into_iter().filter(|file| file.is_stale(&tree.root)).collect())
}

/// The file at `path` with `part` between its markers.
fn between(tree: &Tree, path: &str, marker: &str, part: &str) -> Result<Generated> {
    let text = fs::read_to_string(tree.root.join(path)).with_context(|| format!("cannot read {path}"))?;
    let (begin, end) = (format!("<!-- {marker}:begin -->\n"), format!("<!-- {marker}:end -->"));
    let Some((head, rest)) = text.split_once(&begin) else {
        bail!("{path} lacks the line `{}`", begin.trim_end())
    };
    let Some((_, tail)) = rest.split_once(&end) else { bail!("{path} lacks the line `{end}`") };
    Ok(Generated { path: path.into(), text: format!("{head}{begin}{part}{end}{tail}") })
}
