//! Faults that are planted one at a time in a copy of the tree: a harness that has never failed proves nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use walkdir::{DirEntry, WalkDir};

use self::faults::{FAULTS, Fault, SHUTTLE};
use super::{QUICK, cargo};

mod faults;

/// What of the tree is copied: what its manifests name.
const COPIED: [&str; 5] = ["Cargo.toml", "Cargo.lock", "crates", "models", "xtask"];

/// Plants every fault, or those whose model or scenario has one of these words in its name, and says of each whether it was
/// caught.
pub(super) fn run(root: &Path, names: &[String]) -> Result<ExitCode> {
    let tree = root.join("models").join("target").join("planted");
    copy(root, &tree)?;
    let is_wanted =
        |fault: &&Fault| names.is_empty() || names.iter().any(|word| fault.by.1.contains(&**word));
    let faults: Vec<_> = FAULTS.iter().filter(is_wanted).collect();
    let mut caught = 0;
    for Fault { what, by: (package, name), file, right, wrong } in &faults {
        println!("== {what}: {file}");
        let path = tree.join(file);
        let text = read(&tree, file)?;
        ensure!(has_one_place(&text, right), "{file} has not exactly one place for this fault");
        fs::write(&path, text.replace(right, wrong))?;
        let told = cargo(root, &tree, package, &words(package, name))?.output()?;
        fs::write(&path, text)?;
        let said = String::from_utf8_lossy(&told.stdout);
        print!("{said}");
        // Only the harness itself may have failed: one that could not be built has caught nothing.
        if !told.status.success() && said.contains("FAILED") {
            println!("== caught\n");
            caught += 1;
        } else {
            println!("{}== NOT CAUGHT\n", String::from_utf8_lossy(&told.stderr));
        }
    }
    println!("== {caught} of {} planted faults were caught", faults.len());
    Ok(if caught == faults.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(tree: &Path, file: &str) -> Result<String> {
    fs::read_to_string(tree.join(file)).with_context(|| file.to_owned())
}

fn has_one_place(text: &str, right: &str) -> bool {
    text.matches(right).count() == 1
}

/// What a harness gets that is to catch a fault: what it gets in a quick run.
fn words(package: &str, name: &str) -> Vec<String> {
    let schedules = ["--schedules".to_owned(), QUICK.to_string()];
    let own = if package == SHUTTLE { &schedules[..] } else { &[] };
    [own, &[name.to_owned()]].concat()
}

fn copy(root: &Path, tree: &Path) -> Result<()> {
    if tree.exists() {
        fs::remove_dir_all(tree)?;
    }
    let is_source = |entry: &DirEntry| entry.file_name() != "target";
    for name in COPIED {
        for entry in WalkDir::new(root.join(name)).into_iter().filter_entry(is_source) {
            let entry = entry?;
            let place: PathBuf = tree.join(entry.path().strip_prefix(root)?);
            if entry.file_type().is_dir() {
                fs::create_dir_all(place)?;
            } else {
                fs::create_dir_all(place.parent().unwrap_or(tree))?;
                fs::copy(entry.path(), place)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_still_has_its_place() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        for Fault { what, file, right, .. } in FAULTS {
            assert!(has_one_place(&read(root, file).unwrap(), right), "{file}: {what}");
        }
    }
}
