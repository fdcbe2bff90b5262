//! Faults that are planted one at a time in a copy of the tree: a harness that has never failed proves nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use walkdir::{DirEntry, WalkDir};

use super::{QUICK, cargo};

/// One fault: what is wrong, the text that stands there and the text that stands there instead.
struct Fault {
    what: &'static str,
    /// The package that has to notice, and its model or scenario.
    by: (&'static str, &'static str),
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
}

const LOOM: &str = "dayfly-loom";
const SHUTTLE: &str = "dayfly-shuttle";
const READY: &str = "crates/core/dayfly/src/engine/ready.rs";
const ROOM: &str = "crates/core/dayfly/src/engine/room.rs";

const FAULTS: [Fault; 13] = [
    Fault {
        what: "a worker that falls asleep does not look again",
        by: (LOOM, "ready_one_waker"),
        file: READY,
        right: "self.blocks.iter().all(|block| block.bits.load(Ordering::SeqCst) == 0)",
        wrong: "true",
    },
    Fault {
        what: "falling asleep is announced without an order",
        by: (LOOM, "ready_one_waker"),
        file: READY,
        right: "is_awake.store(false, Ordering::SeqCst)",
        wrong: "is_awake.store(false, Ordering::Release)",
    },
    Fault {
        what: "a producer that gives up does not pass its place on",
        by: (LOOM, "room_a_place"),
        file: ROOM,
        right: "        self.admit(wakers);\n        // The last waker",
        wrong: "        // The last waker",
    },
    Fault {
        what: "a resting worker is not listed as one that can be told",
        by: (LOOM, "arrival_no_item"),
        file: "crates/core/dayfly/src/engine/inbox.rs",
        right: "self.idle.push(worker);",
        wrong: "let _ = worker;",
    },
    Fault {
        what: "a reader does not look at the sequence again",
        by: (LOOM, "published_one"),
        file: "crates/core/dayfly-signal/src/published.rs",
        right: "(before == after && before.is_multiple_of(2))",
        wrong: "(after == after && before.is_multiple_of(2))",
    },
    Fault {
        what: "a count is taken of the started before that of the completed",
        by: (LOOM, "board_counts"),
        file: "crates/core/dayfly/src/engine/board.rs",
        right: "        // Whatever has completed by the first look has started by the second.\n",
        wrong: "        let early = self.started();\n        if early < 9 { return (early, self.completed.load(Ordering::Acquire).count_ones() as usize); }\n",
    },
    Fault {
        what: "a raise that is not noted yet counts as fetched",
        by: (LOOM, "recent_a_look"),
        file: "crates/core/dayfly/src/recent.rs",
        right: "if noted.load(Ordering::Acquire) == 0 {",
        wrong: "if false {",
    },
    Fault {
        what: "a latch is looked at before the wait begins",
        by: (LOOM, "latch"),
        file: "crates/core/dayfly/src/latch.rs",
        right: "        let told = self.waiting.notified();\n        if !self.is_set() {\n            told.await;\n",
        wrong: "        if !self.is_set() {\n            self.waiting.notified().await;\n",
    },
    Fault {
        what: "a kill's mark and the slot's waker are not ordered",
        by: (LOOM, "pass_kill"),
        file: "crates/core/dayfly/src/pass.rs",
        right: "        fence(Ordering::SeqCst);\n        if let",
        wrong: "        if let",
    },
    Fault {
        what: "the word is not read before a start",
        by: (SHUTTLE, "pause_and_resume"),
        file: "crates/core/dayfly/src/engine/worker.rs",
        right: "if self.engine.word() != self.word {",
        wrong: "if false {",
    },
    Fault {
        what: "a kill is marked only when the lock is free again",
        by: (SHUTTLE, "kill"),
        file: "crates/core/dayfly/src/engine/core.rs",
        right: "            sitting.shared.doom(sitting.occupant.generation);\n",
        wrong: "",
    },
    Fault {
        what: "a producer that gives up does not pass its place on",
        by: (SHUTTLE, "dropped_enqueues"),
        file: ROOM,
        right: "        self.admit(wakers);\n        // The last waker",
        wrong: "        // The last waker",
    },
    Fault {
        what: "a worker that falls asleep does not look again",
        by: (SHUTTLE, "drain_while"),
        file: READY,
        right: "self.blocks.iter().all(|block| block.bits.load(Ordering::SeqCst) == 0)",
        wrong: "true",
    },
];

/// What of the tree is copied: what its manifests name.
const COPIED: [&str; 5] = ["Cargo.toml", "Cargo.lock", "crates", "models", "xtask"];

/// Plants every fault, and says of each whether it was caught.
pub(super) fn run(root: &Path) -> Result<ExitCode> {
    let tree = root.join("models").join("target").join("planted");
    copy(root, &tree)?;
    let mut caught = 0;
    for Fault { what, by: (package, name), file, right, wrong } in FAULTS {
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
    println!("== {caught} of {} planted faults were caught", FAULTS.len());
    Ok(if caught == FAULTS.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
