//! Every kind of edge between crates is seen, and the message names its line.

use crate::house::House;

const LOW: &str = "crates/core/dayfly-low/Cargo.toml";

/// A house in which the lower crate imports the higher one as this text says. Line 13 is the text's first.
fn upside_down(imports: &str) -> House {
    let house = House::tidy();
    house.replace(LOW, "\n[lints]", &format!("{imports}\n[lints]"));
    house
}

#[test]
fn an_edge_of_whatever_kind_for_whatever_target_under_whatever_name() {
    for (imports, line) in [
        ("[dependencies]\ndayfly-high.workspace = true\n", 13),
        ("[dev-dependencies]\ndayfly-high.workspace = true\n", 13),
        ("[build-dependencies]\ndayfly-high.workspace = true\n", 13),
        ("[dependencies]\ndayfly-high = { workspace = true, optional = true }\n", 13),
        ("[target.'cfg(windows)'.dependencies]\ndayfly-high.workspace = true\n", 13),
        ("[target.x86_64-apple-darwin.dev-dependencies]\ndayfly-high.workspace = true\n", 13),
        ("[dependencies.dayfly-high]\nworkspace = true\n", 12),
        ("[dependencies]\nupper.workspace = true\n", 13),
    ] {
        let house = upside_down(imports);
        house.replace(
            "Cargo.toml",
            "[workspace.lints.rust]",
            "upper = { path = \"crates/core/dayfly-high\", package = \"dayfly-high\" }\n\n[workspace.lints.rust]",
        );
        // The other direction goes, since cargo refuses circles before tidy can.
        house.replace("crates/core/dayfly-high/Cargo.toml", "dayfly-low.workspace = true\n", "");
        house.generate();
        house.assert_finds(LOW, line, "floors", "`dayfly-low` (floor 0) imports `dayfly-high` (floor 1)");
    }
}

#[test]
fn the_line_is_that_of_the_name_and_not_of_a_longer_one() {
    let house = House::tidy();
    let high = "crates/core/dayfly-high/Cargo.toml";
    house.write("crates/core/dayfly/Cargo.toml", &house.read(LOW).replace("dayfly-low", "dayfly"));
    house.write("crates/core/dayfly/src/lib.rs", "//! The engine.\n");
    house.replace("Cargo.toml", "1 = [\"dayfly-high\"]", "1 = [\"dayfly-high\", \"dayfly\"]");
    house.replace(
        "Cargo.toml",
        "dayfly-low = {",
        "dayfly = { path = \"crates/core/dayfly\", version = \"0.1.0\" }\ndayfly-low = {",
    );
    house.replace(
        high,
        "dayfly-low.workspace = true\n",
        "dayfly-low.workspace = true\ndayfly.workspace = true\n",
    );
    house.generate();
    house.assert_finds(high, 15, "floors", "imports `dayfly` (floor 1)");
}

#[test]
fn a_folder_that_is_no_member() {
    let house = House::tidy();
    house.write("crates/atoms/dayfly-stray/Cargo.toml", "[package]\nname = \"dayfly-stray\"\n");
    house.assert_finds("crates/atoms/dayfly-stray/Cargo.toml", 0, "folders", "no member of the workspace");
}

#[test]
fn a_dependency_that_is_a_folder_and_no_member() {
    let house = House::tidy();
    house.replace("Cargo.toml", "resolver = \"3\"", "resolver = \"3\"\nexclude = [\"away\"]");
    house.replace(
        "Cargo.toml",
        "dayfly-low = {",
        "dayfly-away = { path = \"away/dayfly-away\" }\ndayfly-low = {",
    );
    house.write(
        "away/dayfly-away/Cargo.toml",
        "[package]\nname = \"dayfly-away\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    house.write("away/dayfly-away/src/lib.rs", "");
    let imports = "[dependencies]\ndayfly-away.workspace = true\n";
    house.replace(LOW, "\n[lints]", &format!("{imports}\n[lints]"));
    house.assert_finds(LOW, 13, "floors", "`dayfly-away` is a folder and no member");
}

#[test]
fn a_test_helper_that_was_given_a_floor() {
    let house = House::tidy();
    house.replace("Cargo.toml", "0 = [\"dayfly-low\"]", "0 = [\"dayfly-low\", \"dayfly-testing\"]");
    house.generate();
    house.assert_finds("Cargo.toml", 0, "floors", "`dayfly-testing` stands on no floor");
}

#[test]
fn a_published_crate_that_imports_one_that_is_not() {
    let house = House::tidy();
    house.replace(LOW, "readme = \"README.md\"\n", "readme = \"README.md\"\npublish = false\n");
    house.generate();
    let high = "crates/core/dayfly-high/Cargo.toml";
    house.assert_finds(high, 14, "floors", "`dayfly-low` is not published");
}
