//! New crates.

use crate::house::House;
use xtask::scaffold::new_crate;

#[test]
fn a_new_crate_is_tidy_at_once() {
    let house = House::tidy();
    house.replace(
        "Cargo.toml",
        "authors = [\"us\"]\n",
        "authors = [\"us\"]\ncategories = []\nkeywords = []\n",
    );
    let dir = new_crate(&house.tree(), "atoms", "dayfly-retry", 2).unwrap();
    assert_eq!(dir.to_str(), Some("crates/atoms/dayfly-retry"));
    let report = house.check();
    assert!(report.violations.is_empty(), "{report}");
    let manifest = house.read("Cargo.toml");
    assert!(manifest.contains("# A comment that has to survive."), "{manifest}");
    assert!(manifest.contains("\"crates/atoms/*\""), "{manifest}");
    assert_eq!(house.tree().floors["dayfly-retry"], 2);
    assert!(house.read("ARCHITECTURE.md").contains("floor 2  dayfly-retry"));
}

#[test]
fn a_bad_name_is_refused_and_nothing_is_written() {
    let house = House::tidy();
    let before = house.read("Cargo.toml");
    for (family, name, words) in [
        ("atoms", "retry", "is no name for a crate"),
        ("atoms", "dayfly-", "is no name for a crate"),
        ("atoms", "dayfly-Retry", "is no name for a crate"),
        ("atoms", "dayfly--retry", "is no name for a crate"),
        ("atoms", "dayfly-retry-", "is no name for a crate"),
        ("atoms", "dayfly-2", "is no name for a crate"),
        ("atom", "dayfly-retry", "use one of core, atoms, patterns, state"),
        ("../x", "dayfly-retry", "is no family"),
        ("core", "dayfly-low", "is there already"),
    ] {
        let error = new_crate(&house.tree(), family, name, 2).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(house.read("Cargo.toml"), before);
    assert!(!house.root().join("crates/atoms").exists());
}

#[test]
fn the_root_manifest_stays_in_order() {
    let house = House::tidy();
    house.replace("Cargo.toml", "1 = [\"dayfly-high\"]", "10 = [\"dayfly-high\"]");
    house.replace("Cargo.toml", "version = \"0.1.0\"\nedition", "version = \"0.3.0\"\nedition");
    house.replace(
        "Cargo.toml",
        "dayfly-testing = { path = \"crates/dayfly-testing\" }\n",
        "dayfly-testing = { path = \"crates/dayfly-testing\" }\n\n# Of others.\nserde = \"1\"\n",
    );
    let inherited = "authors = [\"us\"]\ncategories = []\nkeywords = []\n";
    house.replace("Cargo.toml", "authors = [\"us\"]\n", inherited);
    house.generate();
    new_crate(&house.tree(), "state", "dayfly-h2", 2).unwrap();
    let manifest = house.read("Cargo.toml");
    let floors = "0 = [\"dayfly-low\"]\n2 = [\"dayfly-h2\"]\n10 = [\"dayfly-high\"]\n";
    assert!(manifest.contains(floors), "{manifest}");
    let entry =
        "dayfly-h2 = { path = \"crates/state/dayfly-h2\", version = \"0.3.0\" }\n\n# Of others.\nserde";
    assert!(manifest.contains(entry), "{manifest}");
}

#[test]
fn a_manifest_that_cannot_be_changed_leaves_nothing_behind() {
    let house = House::tidy();
    house.replace("Cargo.toml", "0 = [\"dayfly-low\"]\n1 = [\"dayfly-high\"]\n", "");
    house.replace(
        "Cargo.toml",
        "[workspace.metadata.floors]\n",
        "[workspace.metadata]\nfloors = { 0 = [\"dayfly-low\"], 1 = [\"dayfly-high\"] }\n",
    );
    let error = new_crate(&house.tree(), "atoms", "dayfly-retry", 2).unwrap_err().to_string();
    assert!(error.contains("[workspace.metadata.floors]"), "{error}");
    assert!(!house.root().join("crates/atoms").exists());
}
