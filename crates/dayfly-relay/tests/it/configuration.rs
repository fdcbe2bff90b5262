//! The options of a delivery come from a file as well as from code.
//!
//! This also keeps the feature `serde` of the core on in `cargo test --workspace`: without it this does not compile.

use dayfly::CoordinatorOptions;

#[test]
fn a_file_says_how_many_deliveries_run_at_once() {
    let file = r#"{ "max_concurrency": 8, "defer_on": "circuit.open.*" }"#;
    let options = CoordinatorOptions::new().max_concurrency(8).defer_on("circuit.open.*");
    assert_eq!(serde_json::from_str::<CoordinatorOptions>(file).unwrap(), options);
}
