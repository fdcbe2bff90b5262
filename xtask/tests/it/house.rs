//! A tidy workspace of two crates and a test helper, to plant faults in.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use xtask::codegen;
use xtask::rules::{Report, check_all};
use xtask::tree::Tree;

pub(crate) struct House {
    dir: TempDir,
}

const ROOT: &str = r#"[workspace]
resolver = "3"
members = ["crates/core/*", "crates/dayfly-testing"]

[workspace.package]
version = "0.1.0"
edition = "2024"
rust-version = "1.89"
license = "MIT"
authors = ["us"]

# A comment that has to survive.
[workspace.metadata.floors]
0 = ["dayfly-low"]
1 = ["dayfly-high"]

[workspace.dependencies]
dayfly-low = { path = "crates/core/dayfly-low", version = "0.1.0" }
dayfly-high = { path = "crates/core/dayfly-high", version = "0.1.0" }
dayfly-testing = { path = "crates/dayfly-testing" }

[workspace.lints.rust]
unsafe_code = "deny"
"#;

const LIB: &str = "//! A crate with [`Thing`].\n//!\n//! ```\n//! # let hidden = 1;\n//! let shown = 2;\n//! ```\n//!\n//! # Limits\n//! - None.\n\nmod thing;\n\npub use thing::Thing;\n";

const THING: &str = "//! The thing.\n\n/// A thing.\n#[derive(Debug)]\npub struct Thing;\n";

fn manifest(name: &str, more: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\ndescription = \"What {name} does\"\nversion.workspace = true\n\
         edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
         authors.workspace = true\ncategories = []\nkeywords = []\nreadme = \"README.md\"\n{more}\n\
         [lints]\nworkspace = true\n"
    )
}

impl House {
    /// A workspace in which nothing is wrong.
    pub(crate) fn tidy() -> Self {
        let house = Self { dir: tempfile::tempdir().unwrap() };
        house.write("Cargo.toml", ROOT);
        house.write("README.md", "# House\n\n<!-- crates:begin -->\n<!-- crates:end -->\n\nThe end.\n");
        house.write("ARCHITECTURE.md", "<!-- floors:begin -->\n<!-- floors:end -->\n");
        house.write("crates/core/dayfly-low/Cargo.toml", &manifest("dayfly-low", ""));
        let imports = "\n[dependencies]\ndayfly-low.workspace = true\n\n[dev-dependencies]\ndayfly-testing.workspace = true\n";
        house.write("crates/core/dayfly-high/Cargo.toml", &manifest("dayfly-high", imports));
        house.write("crates/dayfly-testing/Cargo.toml", &manifest("dayfly-testing", "publish = false\n"));
        for dir in ["crates/core/dayfly-low", "crates/core/dayfly-high", "crates/dayfly-testing"] {
            house.write(&format!("{dir}/src/lib.rs"), LIB);
            house.write(&format!("{dir}/src/thing.rs"), THING);
        }
        house.generate();
        house
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::load(self.root()).unwrap()
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn append(&self, path: &str, text: &str) {
        let before = fs::read_to_string(self.root().join(path)).unwrap_or_default();
        self.write(path, &(before + text));
    }

    pub(crate) fn replace(&self, path: &str, what: &str, with: &str) {
        let before = self.read(path);
        assert!(before.contains(what), "{path} has no `{what}`");
        self.write(path, &before.replace(what, with));
    }

    pub(crate) fn generate(&self) {
        for file in codegen::stale(&self.tree()).unwrap() {
            file.write(self.root()).unwrap();
        }
    }

    pub(crate) fn check(&self) -> Report {
        check_all(&self.tree())
    }

    /// Asserts that exactly one rule finds exactly this, and that it makes tidy fail.
    pub(crate) fn assert_finds(&self, path: &str, line: usize, rule: &str, words: &str) {
        let report = self.check();
        let [found] = &report.violations[..] else { panic!("one finding expected:\n{report}") };
        let place = (found.path.to_str().unwrap(), found.line, found.rule);
        assert_eq!(place, (path, line, rule), "{found}");
        assert!(found.message.contains(words), "{found}");
        assert!(!report.passes());
    }
}
