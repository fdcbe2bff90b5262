//! The book's snippets, and those of the root README, as doc tests: what a page shows compiles, runs, and holds.
//!
//! The pages stand beside this package's manifest; `mdbook serve docs` shows them as a book. Each structure below exists
//! for doc tests only.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../signals.md")]
struct Signals;

#[cfg(doctest)]
#[doc = include_str!("../coordinators.md")]
struct Coordinators;

#[cfg(doctest)]
#[doc = include_str!("../gates.md")]
struct Gates;

#[cfg(doctest)]
#[doc = include_str!("../calls.md")]
struct Calls;

#[cfg(doctest)]
#[doc = include_str!("../atoms.md")]
struct Atoms;

#[cfg(doctest)]
#[doc = include_str!("../state.md")]
struct State;

#[cfg(doctest)]
#[doc = include_str!("../telemetry.md")]
struct Telemetry;

#[cfg(doctest)]
#[doc = include_str!("../testing.md")]
struct Testing;
