//! Releases.

use cargo_metadata::semver::Version;
use xtask::release::{Step, bumped, order, released, run};

use crate::house::House;

const CHANGELOG: &str =
    "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.0.9 - 2026-01-01\n\n- The first.\n";

fn cut(version: &str, date: &str) -> Step {
    Step::Cut { version: version.parse().unwrap(), date: Some(date.to_owned()) }
}

#[test]
fn a_release_is_cut_in_manifest_and_changelog() {
    let house = House::tidy();
    house.write("CHANGELOG.md", CHANGELOG);
    run(house.root(), &cut("0.2.0", "2026-11-21")).unwrap();
    let manifest = house.read("Cargo.toml");
    assert!(manifest.contains("[workspace.package]\nversion = \"0.2.0\"\n"), "{manifest}");
    assert!(manifest.contains("path = \"crates/core/dayfly-low\", version = \"0.2.0\""), "{manifest}");
    assert!(manifest.contains("dayfly-testing = { path = \"crates/dayfly-testing\" }"), "{manifest}");
    assert!(manifest.contains("# A comment that has to survive."), "{manifest}");
    let changelog = house.read("CHANGELOG.md");
    let expected =
        "## Unreleased\n\n## 0.2.0 - 2026-11-21\n\n### Added\n\n- A thing.\n\n## 0.0.9 - 2026-01-01\n";
    assert!(changelog.contains(expected), "{changelog}");
    assert_eq!(house.tree().packages[0].manifest.1["package"]["name"].as_str(), Some("dayfly-high"));
}

#[test]
fn what_cannot_be_released_is_refused_and_nothing_is_written() {
    let house = House::tidy();
    for (changelog, version, date, words) in [
        (CHANGELOG, "0.1.0", "2026-11-21", "0.1.0 is not later than 0.1.0"),
        (CHANGELOG, "0.0.9", "2026-11-21", "0.0.9 is not later than 0.1.0"),
        (CHANGELOG, "0.2.0", "yesterday", "`yesterday` is no day"),
        (CHANGELOG, "0.2.0", "2026-13-01", "`2026-13-01` is no day"),
        ("# Changelog\n", "0.2.0", "2026-11-21", "no section `## Unreleased`"),
        ("## Unreleased\n\n## 0.1.0 - x\n\n- Old.\n", "0.2.0", "2026-11-21", "nothing stands under"),
        (
            "## Unreleased\n\n- New.\n\n## 0.2.0 - x\n",
            "0.2.0",
            "2026-11-21",
            "has a section for 0.2.0 already",
        ),
    ] {
        house.write("CHANGELOG.md", changelog);
        let before = house.read("Cargo.toml");
        let error = run(house.root(), &cut(version, date)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!((house.read("Cargo.toml"), &*house.read("CHANGELOG.md")), (before, changelog));
    }
}

#[test]
fn a_version_without_its_section_is_not_ready() {
    let house = House::tidy();
    house.write("CHANGELOG.md", CHANGELOG);
    let code = run(house.root(), &Step::Check { verify: false }).unwrap();
    assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::FAILURE));
}

#[test]
fn crates_come_after_those_they_need_and_others_not_at_all() {
    let house = House::tidy();
    let tree = house.tree();
    let names: Vec<&str> = order(&tree).iter().map(|package| &*package.name).collect();
    assert_eq!(names, ["dayfly-low", "dayfly-high"]);
}

#[test]
fn pre_releases_come_before_releases() {
    let manifest = "[workspace.package]\nversion = \"1.0.0-beta.2\"\n";
    let version = |text: &str| text.parse::<Version>().unwrap();
    assert!(bumped(manifest, &version("1.0.0-beta.1")).is_err());
    assert_eq!(bumped(manifest, &version("1.0.0")).unwrap(), "[workspace.package]\nversion = \"1.0.0\"\n");
    assert!(
        released("## Unreleased\n- New.\n", &version("1.0.0"), "2026-11-21").unwrap().contains("## 1.0.0 - ")
    );
}
