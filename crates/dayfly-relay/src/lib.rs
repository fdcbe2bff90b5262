//! A webhook relay that keeps order per key: the reference application of Dayfly.
//!
//! This library is the program's inside, so that tests can run it without a process around it; it promises nothing
//! to anybody else. `dayfly-relay serve` takes events in over HTTP and delivers them, `send` hands in a file of events, and
//! `demo` delivers a git history to three receivers, on the same path, and checks that each rebuilds HEAD from it.
//!
//! | module | idea |
//! |---|---|
//! | [`cli`] | what can be asked, and what the exit status means |
//! | [`history`] | events from `git log`, the truth from `git ls-tree`, or both from the bundled file |
//! | [`event`] | a path changed by a commit, and the tree that such changes add up to |
//! | [`demo`] | receivers, the check and the report |
//! | [`serve`] | the relay itself: intake, ledger, endpoints, deliveries, the API |
//! | [`send`] | events from a file, handed in to a relay |
//! | [`webhook`] | Standard Webhooks signatures |

pub mod cli;
pub mod demo;
pub mod event;
pub mod history;
pub mod send;
pub mod serve;
pub mod webhook;
