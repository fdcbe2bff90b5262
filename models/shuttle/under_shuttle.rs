//! Lets `sync.rs` of the crate that is built here take shuttle's side.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(shuttle)");
    // Neither configuration, layers nor figures are built here, so their features do not exist.
    println!("cargo::rustc-check-cfg=cfg(feature, values(\"metrics\", \"serde\", \"tower\"))");
    println!("cargo::rustc-cfg=shuttle");
    println!("cargo::rerun-if-changed=../under_shuttle.rs");
}
