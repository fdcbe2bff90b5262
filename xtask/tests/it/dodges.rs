//! Ways around a rule that were open once, and alarms that were false.

use crate::house::House;

const LOW: &str = "crates/core/dayfly-low";
const THING: &str = "crates/core/dayfly-low/src/thing.rs";
const TESTS: &str = "crates/core/dayfly-low/tests/it/main.rs";

fn assert_silent(code: &str) {
    let house = House::tidy();
    house.append(THING, code);
    let report = house.check();
    assert!(report.violations.is_empty(), "{code}\n{report}");
}

#[test]
fn a_future_in_a_box_is_a_future() {
    for returned in [
        "BoxFuture<'static, ()>",
        "Pin<Box<dyn Future<Output = ()> + Send>>",
        "std::pin::Pin<Box<dyn std::future::Future<Output = ()>>>",
        "impl IntoFuture<Output = ()>",
    ] {
        let house = House::tidy();
        house.append(THING, &format!("/// Waits.\npub fn wait() -> {returned} {{}}\n"));
        house.assert_finds(THING, 7, "cancel safety", "`wait` is public and async");
    }
    assert_silent("/// No future.\npub fn iter() -> Box<dyn Iterator<Item = ()>> {}\n");
}

#[test]
fn a_heading_with_nothing_below_it_says_nothing() {
    for section in ["", "\n/// # Errors\n/// None."] {
        let house = House::tidy();
        let code = format!("/// Waits.\n///\n/// # Cancel safety{section}\npub async fn wait() {{}}\n");
        house.append(THING, &code);
        house.assert_finds(THING, 5 + code.lines().count(), "cancel safety", "`wait`");
    }
}

#[test]
fn a_public_async_function_that_a_macro_writes() {
    let written = |docs: &str, name: &str| {
        format!(
            "macro_rules! waits {{\n    () => {{\n        {docs}\n        pub async fn {name}() {{}}\n    }};\n}}\n"
        )
    };
    let house = House::tidy();
    house.append(THING, &written("/// Waits.", "wait"));
    house.assert_finds(THING, 9, "cancel safety", "`wait` is public and async");
    let house = House::tidy();
    house.append(THING, &written("/// Waits.", "$name"));
    house.assert_finds(THING, 9, "cancel safety", "`name` is public and async");
    assert_silent(&written("/// Waits.\n/// # Cancel safety\n/// Nothing is lost.", "wait"));
    assert_silent(&written("$(#[$docs])*", "wait"));
    assert_silent(&written("/// Waits.", "wait").replace("pub async", "async"));
}

#[test]
fn a_type_that_is_a_future_by_itself() {
    let code =
        "/// Waits.\n#[derive(Debug)]\npub struct Wait<T>(T);\nimpl<T> std::future::Future for Wait<T> {}\n";
    let house = House::tidy();
    house.append(THING, code);
    house.assert_finds(THING, 8, "cancel safety", "`Wait` is public and async");
    assert_silent(&code.replace("/// Waits.\n", "/// Waits.\n/// # Cancel safety\n/// Nothing is lost.\n"));
    assert_silent(&code.replace("pub struct", "struct"));
    assert_silent(&code.replace("std::future::Future", "Iterator"));
}

#[test]
fn code_for_tests_however_its_condition_is_written() {
    assert_silent("#[cfg(test)]\nimpl Thing {\n    pub async fn probe() {}\n}\n");
    assert_silent("#[cfg(all(test, unix))]\nmod tests {\n    pub async fn probe() {}\n}\n");
    let house = House::tidy();
    house.append(THING, "#[cfg(not(test))]\nmod real {\n    pub async fn wait() {}\n}\n");
    house.assert_finds(THING, 8, "cancel safety", "`wait`");
    let house = House::tidy();
    house.append(
        THING,
        "#[cfg(all(test, unix))]\nmod tests {\n    fn nap() {\n        std::thread::sleep(LONG);\n    }\n}\n",
    );
    house.assert_finds(THING, 9, "sleeps", "sleeps for real");
}

#[test]
fn a_test_module_in_a_file_of_its_own() {
    let house = House::tidy();
    house.append(THING, "#[cfg(test)]\nmod tests;\n");
    let tests = format!("{LOW}/src/thing/tests.rs");
    house.write(&tests, "pub async fn probe() {}\n");
    assert!(house.check().passes());
    house.append(&tests, "fn nap() {\n    std::thread::sleep(LONG);\n}\n");
    house.assert_finds(&tests, 3, "sleeps", "sleeps for real");
}

#[test]
fn a_word_that_looks_like_a_paused_clock_is_none() {
    let house = House::tidy();
    house.write(
        TESTS,
        "// paused(\nasync fn waits() {\n    work.is_paused();\n    tokio::time::sleep(LONG).await;\n}\n",
    );
    house.assert_finds(TESTS, 4, "sleeps", "sleeps for real");
}

#[test]
fn a_sleep_under_another_name() {
    for (code, line) in [
        ("use tokio::time::sleep as nap;\n", 1),
        ("use tokio::{join, time::{sleep as nap, timeout}};\n", 1),
        ("use tokio::time as clock;\nasync fn waits() {\n    clock::sleep(LONG).await;\n}\n", 3),
        ("fn waits() {\n    std::thread::park_timeout(LONG);\n}\n", 2),
        ("async fn waits() {\n    tokio::select! {\n        () = sleep(LONG) => {}\n    }\n}\n", 3),
    ] {
        let house = House::tidy();
        house.write(TESTS, code);
        house.assert_finds(TESTS, line, "sleeps", "sleeps for real");
    }
    let house = House::tidy();
    house.append(THING, "#[test]\nfn waits() {\n    std::thread::sleep(LONG);\n}\n");
    house.assert_finds(THING, 8, "sleeps", "sleeps for real");
}

#[test]
fn what_only_looks_like_a_sleep() {
    let house = House::tidy();
    house.write(
        TESTS,
        "#[tokio::test]\nasync fn paused_later() {\n    tokio::time::pause();\n    tokio::time::sleep(LONG).await;\n}\n\
         fn others() {\n    assert!(task.is_asleep());\n    assert!(Backoff::sleep(&schedule), \"sleep(x)\");\n    \
         assert_eq!(task.interval(), stats::interval(3));\n}\n",
    );
    let report = house.check();
    assert!(report.violations.is_empty(), "{report}");
}

#[test]
fn a_file_that_cannot_be_parsed() {
    let house = House::tidy();
    house.append(THING, "pub async fn wait( {}\n");
    house.assert_finds(THING, 6, "readable", "cannot be parsed");
}

#[test]
fn a_module_called_target_is_no_build_output() {
    let house = House::tidy();
    house.write(&format!("{LOW}/src/target/mod.rs"), "//! Where it goes.\n\npub async fn wait() {}\n");
    house.assert_finds("crates/core/dayfly-low/src/target/mod.rs", 3, "cancel safety", "`wait`");
    let house = House::tidy();
    house.write(&format!("{LOW}/target/debug/out.rs"), "pub async fn wait() {}\n");
    assert!(house.check().passes());
}

#[test]
fn a_lump_inside_of_a_file_or_in_a_longer_name() {
    let house = House::tidy();
    house.append(THING, "mod helpers {\n    mod test_utils {}\n}\n");
    let report = house.check();
    let lines: Vec<usize> = report.violations.iter().map(|found| found.line).collect();
    assert_eq!(lines, [6, 7], "{report}");
    let house = House::tidy();
    house.write(&format!("{LOW}/src/text_utils/mod.rs"), "//! All sorts.\n");
    house.assert_finds("crates/core/dayfly-low/src/text_utils/mod.rs", 0, "folders", "the one idea");
}

#[test]
fn a_lint_that_is_allowed() {
    for code in [
        "#[allow(dead_code)]\nfn later() {}\n",
        "#[allow(dead_code, reason = \"soon\")]\nfn later() {}\n",
        "#[cfg_attr(unix, allow(dead_code))]\nfn later() {}\n",
    ] {
        let house = House::tidy();
        house.append(THING, code);
        house.assert_finds(THING, 6, "silenced", "never `allow`");
    }
    let house = House::tidy();
    house.replace(
        THING,
        "//! The thing.\n",
        "//! The thing.\n#![allow(clippy::pedantic, reason = \"no time\")]\n",
    );
    house.assert_finds(THING, 2, "silenced", "never `allow`");
    assert_silent("#[expect(dead_code, reason = \"planted\")]\nfn allow(allow: u8) {}\n");
}

#[test]
fn a_library_that_stands_somewhere_else() {
    let house = House::tidy();
    house.append(&format!("{LOW}/Cargo.toml"), "\n[lib]\npath = \"src/index.rs\"\n");
    house.write(&format!("{LOW}/src/index.rs"), "//! An index.\n");
    house.assert_finds("crates/core/dayfly-low/Cargo.toml", 17, "manifests", "the library is src/lib.rs");
}

#[test]
fn an_open_point_is_a_word_of_its_own() {
    assert_silent(concat!("// Written by AUTO", "DOC from the MAS", "TO", "DON.\n"));
    let house = House::tidy();
    house.append(THING, concat!("// (TO", "DO)\n"));
    house.assert_finds(THING, 6, "leftovers", "an open point");
}

#[test]
fn the_bounds_on_lengths_are_exact() {
    let lines = |count: usize| {
        let house = House::tidy();
        house.append(THING, &"// A line.\n".repeat(count - 5));
        let report = house.check();
        (report.passes(), report.violations.len())
    };
    assert_eq!([500, 501, 800, 801].map(lines), [(true, 0), (true, 1), (true, 1), (false, 1)]);

    let code = |count: usize| {
        let house = House::tidy();
        house.append(&format!("{LOW}/src/lib.rs"), &"pub use std::fmt::Debug;\n".repeat(count - 2));
        house.check().violations.len()
    };
    assert_eq!([120, 121].map(code), [0, 1]);
}
