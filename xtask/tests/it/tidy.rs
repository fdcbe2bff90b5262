//! Each rule finds what is planted against it, and nothing in a tidy house.

use std::process::Command;

use crate::house::House;

const LOW: &str = "crates/core/dayfly-low";
const THING: &str = "crates/core/dayfly-low/src/thing.rs";

#[test]
fn a_tidy_house_passes() {
    let report = House::tidy().check();
    assert!(report.passes() && report.violations.is_empty(), "{report}");
}

#[test]
fn the_command_ends_with_the_verdict() {
    let house = House::tidy();
    let tidy = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("tidy").arg("--root").arg(house.root()).output().unwrap()
    };
    assert!(tidy().status.success());
    house.append(THING, concat!("// TO", "DO\n"));
    let output = tidy();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("crates/core/dayfly-low/src/thing.rs:6: leftovers: "), "{text}");
}

#[test]
fn an_import_of_the_same_floor() {
    let house = House::tidy();
    house.replace(
        "Cargo.toml",
        "0 = [\"dayfly-low\"]\n1 = [\"dayfly-high\"]",
        "1 = [\"dayfly-low\", \"dayfly-high\"]",
    );
    house.generate();
    house.assert_finds(
        "crates/core/dayfly-high/Cargo.toml",
        14,
        "floors",
        "only lower floors may be imported",
    );
}

#[test]
fn a_test_may_import_its_own_floor_and_no_higher_one() {
    let house = House::tidy();
    let manifest = "crates/core/dayfly-high/Cargo.toml";
    house.replace(manifest, "\n[dependencies]\ndayfly-low.workspace = true\n", "");
    house.replace(manifest, "[dev-dependencies]\n", "[dev-dependencies]\ndayfly-low.workspace = true\n");
    house.replace(
        "Cargo.toml",
        "0 = [\"dayfly-low\"]\n1 = [\"dayfly-high\"]",
        "1 = [\"dayfly-low\", \"dayfly-high\"]",
    );
    house.generate();
    let report = house.check().to_string();
    assert!(!report.contains("floors"), "{report}");
    house.replace(
        "Cargo.toml",
        "1 = [\"dayfly-low\", \"dayfly-high\"]",
        "1 = [\"dayfly-high\"]\n2 = [\"dayfly-low\"]",
    );
    house.generate();
    let report = house.check().to_string();
    assert!(report.contains("only lower floors may be imported"), "{report}");
}

#[test]
fn a_published_crate_on_no_floor() {
    let house = House::tidy();
    house.replace("Cargo.toml", "1 = [\"dayfly-high\"]\n", "");
    house.generate();
    house.assert_finds("Cargo.toml", 0, "floors", "`dayfly-high` stands on no floor");
}

#[test]
fn a_floor_that_names_nobody_and_one_that_names_somebody_again() {
    let house = House::tidy();
    house.replace("Cargo.toml", "1 = [\"dayfly-high\"]", "1 = [\"dayfly-high\"]\n2 = [\"dayfly-ghost\"]");
    house.assert_finds("Cargo.toml", 0, "floors", "`dayfly-ghost` stands on a floor and is no member");
    house.replace("Cargo.toml", "dayfly-ghost", "dayfly-high");
    let report = house.check().to_string();
    assert!(report.contains("`dayfly-high` stands on two floors"), "{report}");
}

#[test]
fn a_test_helper_outside_of_tests_and_one_that_imports_the_house() {
    let house = House::tidy();
    house.replace("crates/core/dayfly-high/Cargo.toml", "[dev-dependencies]\n", "");
    house.assert_finds("crates/core/dayfly-high/Cargo.toml", 16, "floors", "which stands on no floor");

    let house = House::tidy();
    house.replace(
        "crates/core/dayfly-high/Cargo.toml",
        "[dev-dependencies]\ndayfly-testing.workspace = true\n",
        "",
    );
    house.append("crates/dayfly-testing/Cargo.toml", "\n[dependencies]\ndayfly-low.workspace = true\n");
    house.assert_finds("crates/dayfly-testing/Cargo.toml", 18, "floors", "imports no crate of the house");
}

#[test]
fn a_folder_that_is_not_named_like_its_package() {
    let house = House::tidy();
    house.replace(&format!("{LOW}/Cargo.toml"), "name = \"dayfly-low\"", "name = \"dayfly-lower\"");
    house.replace("Cargo.toml", "0 = [\"dayfly-low\"]", "0 = [\"dayfly-lower\"]");
    house.replace("crates/core/dayfly-high/Cargo.toml", "dayfly-low.workspace = true\n", "");
    house.generate();
    house.assert_finds("crates/core/dayfly-low/Cargo.toml", 0, "folders", "named like the package");
}

#[test]
fn a_module_that_is_a_lump() {
    let house = House::tidy();
    house.write(&format!("{LOW}/src/utils.rs"), "//! All sorts.\n");
    house.assert_finds("crates/core/dayfly-low/src/utils.rs", 0, "folders", "the one idea");
}

#[test]
fn long_files_warn_and_longer_ones_fail() {
    let house = House::tidy();
    house.append(THING, &"// A line.\n".repeat(520));
    let report = house.check();
    assert!(report.passes() && report.violations.len() == 1, "{report}");
    assert!(report.to_string().contains("warning: sizes: 525 lines"), "{report}");
    house.append(THING, &"// A line.\n".repeat(300));
    house.assert_finds(THING, 0, "sizes", "825 lines");
}

#[test]
fn logic_in_lib_rs() {
    let house = House::tidy();
    house.append(&format!("{LOW}/src/lib.rs"), "\n/// Logic.\npub fn logic() {}\n");
    house.assert_finds("crates/core/dayfly-low/src/lib.rs", 15, "lib.rs", "move this into a module");
}

#[test]
fn a_lib_rs_that_is_too_long() {
    let house = House::tidy();
    house.append(&format!("{LOW}/src/lib.rs"), &"pub use std::fmt::Debug;\n".repeat(121));
    house.assert_finds("crates/core/dayfly-low/src/lib.rs", 0, "lib.rs", "123 lines of code");
}

#[test]
fn a_readme_for_doc_tests_is_no_logic() {
    let house = House::tidy();
    let readme = "\n#[cfg(doctest)]\n#[doc = include_str!(\"../README.md\")]\nstruct Readme;\n";
    house.append(&format!("{LOW}/src/lib.rs"), readme);
    assert!(house.check().passes());
}

#[test]
fn a_public_future_without_its_cancel_safety() {
    for code in [
        "/// Waits.\npub async fn wait() {}\n",
        "/// Waits.\npub fn wait() -> impl Future<Output = ()> {}\n",
        "impl Thing {\n    pub async fn wait(&self) {}\n}\n",
        "/// Waits.\npub trait Wait {\n    fn wait(&self) -> impl std::future::Future<Output = ()> + Send;\n}\n",
    ] {
        let house = House::tidy();
        house.append(THING, code);
        let at = code.lines().position(|line| line.contains("fn wait")).unwrap();
        house.assert_finds(THING, 6 + at, "cancel safety", "`wait` is public and async");
    }
}

#[test]
fn cancel_safety_that_is_said_and_functions_that_need_not_say_it() {
    let house = House::tidy();
    house.append(
        THING,
        "/// Waits.\n///\n/// # Cancel safety\n/// Nothing is lost.\npub async fn wait() {}\n\
         pub(crate) async fn inner() {}\nasync fn own() {}\n\
         #[cfg(test)]\nmod tests {\n    pub async fn helper() {}\n}\n",
    );
    house.append("crates/dayfly-testing/src/thing.rs", "pub async fn of_a_tool() {}\n");
    let report = house.check();
    assert!(report.violations.is_empty(), "{report}");
}

#[test]
fn a_test_that_sleeps_for_real() {
    let tests = format!("{LOW}/tests/it/main.rs");
    for (code, line) in [
        ("#[test]\nfn waits() {\n    std::thread::sleep(LONG);\n}\n", 3),
        ("#[tokio::test]\nasync fn waits() {\n    tokio::time::sleep(LONG).await;\n}\n", 3),
        (
            "use tokio::time::sleep;\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn waits() {\n    sleep(LONG).await;\n}\n",
            4,
        ),
        ("async fn helper() {\n    tokio::time::interval(LONG).tick().await;\n}\n", 2),
        ("#[tokio::test]\nasync fn waits() {\n    tokio::join!(tokio::time::sleep(LONG), other());\n}\n", 3),
        ("#[tokio::test(start_paused = true)]\nasync fn waits() {\n    std::thread::sleep(LONG);\n}\n", 3),
    ] {
        let house = House::tidy();
        house.write(&tests, code);
        house.assert_finds("crates/core/dayfly-low/tests/it/main.rs", line, "sleeps", "sleeps for real");
    }
    let house = House::tidy();
    house.append(
        THING,
        "#[cfg(test)]\nmod tests {\n    fn nap() {\n        std::thread::sleep(LONG);\n    }\n}\n",
    );
    house.assert_finds(THING, 9, "sleeps", "sleeps for real");
}

#[test]
fn a_paused_clock_and_a_bounded_wait_are_no_sleep() {
    let house = House::tidy();
    let code = "#[tokio::test(start_paused = true)]\nasync fn waits() {\n    tokio::time::sleep(LONG).await;\n}\n\
                #[tokio::test]\nasync fn bounded() {\n    tokio::time::timeout(LONG, event()).await;\n}\n\
                fn work() {\n    let asleep = \"sleep\";\n}\n";
    house.write(&format!("{LOW}/tests/it/main.rs"), code);
    house.append(THING, "async fn backoff() {\n    tokio::time::sleep(LONG).await;\n}\n");
    let report = house.check();
    assert!(report.violations.is_empty(), "{report}");
}

#[test]
fn a_manifest_that_does_not_inherit() {
    let manifest = format!("{LOW}/Cargo.toml");
    for (what, with, line, words) in [
        (
            "version.workspace = true\nedition",
            "version = \"0.1.0\"\nedition",
            4,
            "`version.workspace = true`",
        ),
        ("license.workspace = true\n", "license = \"MIT\"\n", 7, "`license.workspace = true`"),
        ("keywords = []\n", "", 1, "a published crate needs `keywords`"),
        ("[lints]\nworkspace = true\n", "", 0, "[lints]"),
    ] {
        let house = House::tidy();
        house.replace(&manifest, what, with);
        house.assert_finds("crates/core/dayfly-low/Cargo.toml", line, "manifests", words);
    }
    let house = House::tidy();
    house.replace(
        "crates/core/dayfly-high/Cargo.toml",
        "dayfly-low.workspace = true",
        "dayfly-low = { path = \"../dayfly-low\" }",
    );
    house.assert_finds(
        "crates/core/dayfly-high/Cargo.toml",
        14,
        "manifests",
        "`dayfly-low.workspace = true`",
    );
}

#[test]
fn generated_files_that_are_stale() {
    let house = House::tidy();
    house.append(&format!("{LOW}/README.md"), "By hand.\n");
    house.assert_finds("crates/core/dayfly-low/README.md", 0, "generated", "cargo xtask codegen");
    house.generate();
    house.replace("README.md", "What dayfly-high does", "What it did");
    house.assert_finds("README.md", 0, "generated", "stale");
    house.generate();
    house.write("ARCHITECTURE.md", "No markers.\n");
    house.append(&format!("{LOW}/README.md"), "By hand.\n");
    let report = house.check().to_string();
    for words in [
        "ARCHITECTURE.md: generated: ARCHITECTURE.md lacks the line `<!-- floors:begin -->`",
        "crates/core/dayfly-low/README.md: generated: it is stale", // what one file lacks hides no other
    ] {
        assert!(report.contains(words), "{report}");
    }
}

#[test]
fn open_points_and_tests_that_are_switched_off() {
    for code in [
        concat!("// TO", "DO: later\n"),
        concat!("// FIX", "ME\n"),
        concat!("fn later() { to", "do!() }\n"),
        concat!("fn later() { unimple", "mented!() }\n"),
        concat!("#[ig", "nore]\nfn long() {}\n"),
    ] {
        let house = House::tidy();
        house.append(THING, code);
        house.assert_finds(THING, 6, "leftovers", "");
    }
    let house = House::tidy();
    house.append(THING, "#[ignore = \"runs in the full form: cargo xtask soak\"]\nfn long() {}\n");
    assert!(house.check().passes());
}
