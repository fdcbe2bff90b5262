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

/// The README that is made of these docs, without what stands around them.
fn readme_of(docs: &str) -> String {
    let house = House::tidy();
    let docs: String = docs.lines().map(|line| format!("//! {line}").trim_end().to_owned() + "\n").collect();
    house.write("crates/core/dayfly-low/src/lib.rs", &docs);
    house.generate();
    let readme = house.read("crates/core/dayfly-low/README.md");
    let (_, body) = readme.split_once("# dayfly-low\n\n").unwrap();
    let (body, _) = body.split_once("\n## Licence").unwrap();
    body.to_owned()
}

#[test]
fn comments_in_other_languages_stay_and_only_hidden_rust_goes() {
    let toml = "```toml\n# Switches it on.\n[features]\n```\n";
    assert_eq!(readme_of(toml), toml);
    let shell = "~~~sh\n# Runs it.\ncargo run\n~~~\n";
    assert_eq!(readme_of(shell), shell);
    assert_eq!(
        readme_of("```no_run\n# hidden();\n    # hidden_too();\n#\n## [shown]\n#[shown]\n```\n"),
        "```rust\n# [shown]\n#[shown]\n```\n"
    );
    assert_eq!(
        readme_of("````\n```\nlet a = 1;\n````\n# End\n"),
        "````rust\n```\nlet a = 1;\n````\n## End\n"
    );
    assert_eq!(readme_of("```ignore-wasm32,edition2024\n# x\n```\n"), "```rust\n```\n");
}

#[test]
fn a_block_in_a_list_is_a_block() {
    assert_eq!(
        readme_of("- A point:\n  ```\n  # let hidden = [`x`];\n  let shown = 2;\n  ```\n# Next\n"),
        "- A point:\n  ```rust\n  let shown = 2;\n  ```\n## Next\n"
    );
}

#[test]
fn docs_after_an_attribute_are_docs_and_none_at_all_is_an_error() {
    let house = House::tidy();
    let lib = "crates/core/dayfly-low/src/lib.rs";
    let text = house.read(lib);
    house.write(lib, &format!("#![cfg_attr(docsrs, feature(doc_cfg))]\n{text}"));
    house.generate();
    assert!(house.read("crates/core/dayfly-low/README.md").contains("A crate with `Thing`."));
    house.write(lib, "mod thing;\n");
    house.assert_finds("crates/core/dayfly-low/README.md", 0, "generated", "src/lib.rs has no `//!` docs");
}

#[test]
fn a_program_without_a_library_has_a_readme_too() {
    let house = House::tidy();
    std::fs::remove_file(house.root().join("crates/core/dayfly-high/src/lib.rs")).unwrap();
    house.write("crates/core/dayfly-high/src/main.rs", "//! A program.\n\nfn main() {}\n");
    house.generate();
    let readme = house.read("crates/core/dayfly-high/README.md");
    assert!(readme.starts_with("<!-- Generated from src/main.rs"), "{readme}");
    assert!(house.check().passes());
}

#[test]
fn a_description_cannot_break_the_table() {
    let house = House::tidy();
    let manifest = "crates/core/dayfly-low/Cargo.toml";
    house.replace(manifest, "\"What dayfly-low does\"", "\"\"\"\nOne | two,\n  three\"\"\"");
    house.generate();
    let readme = house.read("README.md");
    assert!(readme.contains("| 0 | One \\| two, three |\n"), "{readme}");
}

#[test]
fn what_was_generated_is_not_stale() {
    let house = House::tidy();
    assert!(xtask::codegen::stale(&house.tree()).unwrap().is_empty());
}
