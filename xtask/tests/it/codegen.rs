//! What the generator writes.

use std::process::Command;

use crate::house::House;

#[test]
fn the_readme_of_a_crate_comes_from_its_docs() {
    let house = House::tidy();
    let readme = house.read("crates/core/dayfly-low/README.md");
    let expected = "\n# dayfly-low\n\nA crate with `Thing`.\n\n```rust\nlet shown = 2;\n```\n\n## Limits\n- None.\n\n## Licence\n";
    assert!(readme.contains(expected), "{readme}");
    assert!(readme.starts_with("<!-- Generated from src/lib.rs"), "{readme}");
}

#[test]
fn the_table_and_the_diagram_come_from_the_manifests() {
    let house = House::tidy();
    let readme = house.read("README.md");
    assert!(readme.contains(
        "| [`dayfly-low`](crates/core/dayfly-low) | 0 | What dayfly-low does |\n| [`dayfly-high`]"
    ));
    assert!(readme.ends_with("<!-- crates:end -->\n\nThe end.\n"), "what stands around it stays");
    assert!(!readme.contains("dayfly-testing"), "only published crates are listed");
    let diagram = house.read("ARCHITECTURE.md");
    assert!(diagram.contains("floor 1  dayfly-high -> dayfly-low\nfloor 0  dayfly-low\n"), "{diagram}");
}

#[test]
fn check_writes_nothing_and_names_what_is_stale() {
    let house = House::tidy();
    house.append("crates/core/dayfly-low/README.md", "By hand.\n");
    let codegen = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("codegen").args(arguments).arg("--root").arg(house.root()).output().unwrap()
    };
    let checked = codegen(&["--check"]);
    assert_eq!(checked.status.code(), Some(1));
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), "stale: crates/core/dayfly-low/README.md\n");
    assert!(house.read("crates/core/dayfly-low/README.md").ends_with("By hand.\n"));
    assert!(codegen(&[]).status.success());
    assert!(codegen(&["--check"]).status.success());
}
