//! The developer's and the release's commands, as `cargo xtask <command>`.

pub mod bench;
pub mod ci;
pub mod codegen;
pub mod lines;
pub mod models;
pub mod release;
pub mod rules;
pub mod scaffold;
pub mod source;
pub mod tree;
