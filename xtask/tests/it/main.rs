//! The commands, each on a small workspace of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(unix)]
mod ci;
mod codegen;
mod dodges;
mod edges;
mod house;
mod releasing;
mod scaffold;
mod tidy;
