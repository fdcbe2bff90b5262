//! New crates.

use crate::house::House;
use xtask::scaffold::new_crate;

#[test]
fn a_new_crate_is_tidy_once_its_readme_is_generated() {
    let house = House::tidy();
    house.replace(
        "Cargo.toml",
        "authors = [\"us\"]\n",
        "authors = [\"us\"]\ncategories = []\nkeywords = []\n",
    );
    let dir = new_crate(&house.tree(), "atoms", "dayfly-retry", 2).unwrap();
    assert_eq!(dir.to_str(), Some("crates/atoms/dayfly-retry"));
    house.generate();
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
        ("../x", "dayfly-retry", "is no family"),
        ("core", "dayfly-low", "is there already"),
    ] {
        let error = new_crate(&house.tree(), family, name, 2).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(house.read("Cargo.toml"), before);
    assert!(!house.root().join("crates/atoms").exists());
}
