//! The commands that only call cargo: what they ask of it, and that they believe it when it fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::house::House;

/// A cargo that writes down what it was asked for, and fails at what `FAILS` says.
const CARGO: &str = "#!/bin/sh\necho \"$RUSTDOCFLAGS $*\" >> \"$LOG\"\n\
                     case \"$*\" in *\"$FAILS\"*) exit 101;; esac\n";

/// Runs the command with that cargo; returns how it ended and what cargo was asked for.
fn run(arguments: &[&str], fails: &str) -> (Output, Vec<String>) {
    let house = House::tidy();
    house.write("bin/cargo", CARGO);
    let bin = house.root().join("bin");
    fs::set_permissions(bin.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).arg("--root").arg(house.root());
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    command.env("LOG", house.root().join("log")).env("FAILS", fails).env_remove("RUSTDOCFLAGS");
    let output = command.output().unwrap();
    let log = fs::read_to_string(house.root().join("log")).unwrap_or_default();
    (output, log.lines().map(|line| line.trim().to_owned()).collect())
}

const STEPS: [&str; 8] = [
    "fmt --all --check",
    "clippy --workspace --all-targets --all-features -- -D warnings",
    "clippy --workspace --exclude dayfly-relay --exclude dayfly-complete --exclude docs --all-targets -- -D warnings",
    "check -p dayfly-complete -p dayfly-relay --no-default-features",
    "-D warnings doc --workspace --no-deps --all-features",
    "xtask tidy",
    "test --workspace",
    "xtask models --quick",
];

#[test]
fn every_step_runs_in_order_with_warnings_as_errors() {
    let (output, asked) = run(&["ci"], "nothing");
    assert!(output.status.success());
    assert_eq!(asked, STEPS);
}

#[test]
fn a_step_that_fails_ends_it_and_makes_it_fail() {
    for (at, fails) in
        ["fmt", "all-features -- -D", "exclude", "check -p", "doc --", "tidy", "test --", "models"]
            .into_iter()
            .enumerate()
    {
        let (output, asked) = run(&["ci"], fails);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(asked, STEPS[..=at]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(" failed after "), "{text}");
    }
}

#[test]
fn listing_runs_nothing() {
    let (output, asked) = run(&["ci", "--list"], "nothing");
    assert!(output.status.success() && asked.is_empty());
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), STEPS.len());
}

#[test]
fn a_benchmark_is_asked_for_by_name_and_may_fail() {
    let (output, asked) = run(&["bench", "keyed"], "nothing");
    assert!(output.status.success());
    assert!(asked[0].ends_with("benches/Cargo.toml --bench keyed --"), "{asked:?}");
    let (output, asked) = run(&["bench"], "bench");
    assert_eq!(output.status.code(), Some(1));
    assert!(asked[0].contains("--benches"), "{asked:?}");
}
