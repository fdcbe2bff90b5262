//! Which folders tell of changes to a file: those in which a name on the way to it can be replaced.
//!
//! A watched file is lost with the first rename over it. So folders are watched: the one that the file is in, the one of
//! every symbolic link on the way (Kubernetes swaps a link `..data`), and the nearest that exists when one is missing.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

pub(crate) fn on_the_way_to(path: &Path) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    let Ok(path) = std::path::absolute(path) else { return folders };
    let (mut here, mut ahead) = (PathBuf::new(), Vec::new());
    go(&path, &mut here, &mut ahead);
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        if name == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&name);
        match fs::symlink_metadata(&next) {
            Ok(kind) if kind.is_symlink() => {
                folders.insert(here.clone());
                links += 1;
                match fs::read_link(&next) {
                    Ok(target) if links <= MOST_LINKS => go(&target, &mut here, &mut ahead),
                    _ => break,
                }
            }
            Ok(_) if !ahead.is_empty() => here = next,
            // The file itself, or where the way ends.
            _ => {
                folders.insert(here.clone());
                break;
            }
        }
    }
    folders
}

/// Puts the names of `path` before those that are still ahead, which stand in reverse.
fn go(path: &Path, here: &mut PathBuf, ahead: &mut Vec<OsString>) {
    let mut names = Vec::new();
    if path.is_absolute() {
        here.clear();
    }
    for component in path.components() {
        match component {
            Component::Prefix(_) | Component::RootDir => here.push(component),
            Component::CurDir => {}
            Component::ParentDir | Component::Normal(_) => names.push(component.as_os_str().to_owned()),
        }
    }
    ahead.extend(names.into_iter().rev());
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folders(root: &Path, path: &str) -> Vec<String> {
        let folders = on_the_way_to(&root.join(path));
        let inside = folders.iter().filter_map(|folder| folder.strip_prefix(root).ok()?.to_str());
        inside.map(str::to_owned).collect()
    }

    #[test]
    fn the_folder_of_every_name_that_can_be_replaced_is_named() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        fs::create_dir_all(root.join("k8s/..2024")).unwrap();
        fs::create_dir_all(root.join("releases/1")).unwrap();
        fs::write(root.join("k8s/..2024/app.toml"), "").unwrap();
        fs::write(root.join("releases/1/app.toml"), "").unwrap();
        symlink("..2024", root.join("k8s/..data")).unwrap();
        symlink("..data/app.toml", root.join("k8s/app.toml")).unwrap();
        symlink(root.join("releases/1"), root.join("current")).unwrap();
        symlink("loop.toml", root.join("loop.toml")).unwrap();
        assert_eq!(folders(&root, "releases/1/app.toml"), ["releases/1"]);
        assert_eq!(folders(&root, "k8s/app.toml"), ["k8s", "k8s/..2024"]);
        assert_eq!(folders(&root, "current/app.toml"), ["", "releases/1"]);
        assert_eq!(folders(&root, "k8s/../releases/./1/app.toml"), ["releases/1"]);
        assert_eq!(folders(&root, "gone/deeper/app.toml"), [""], "the nearest that exists");
        assert_eq!(folders(&root, "releases/1/gone.toml"), ["releases/1"]);
        assert_eq!(folders(&root, "loop.toml"), [""], "and links in a circle end");
    }
}
