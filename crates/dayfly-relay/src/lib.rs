//! A webhook relay that keeps order per key: the reference application of Dayfly.
//!
//! This library is the program's inside, so that tests can run it without a process around it; it promises nothing
//! to anybody else. `dayfly-relay demo` delivers a git history to three receivers and checks that each rebuilds HEAD
//! from it.
//!
//! In the order in which the demo uses them:
//!
//! | module | idea |
//! |---|---|
//! | [`cli`] | what can be asked, and what the exit status means |
//! | [`history`] | events from `git log`, the truth from `git ls-tree`, or both from the bundled file |
//! | [`event`] | a path changed by a commit, and the tree that such changes add up to |
//! | [`demo`] | receivers, endpoints, the check and the report |
//! | [`webhook`] | Standard Webhooks signatures |

pub mod cli;
pub mod demo;
pub mod event;
pub mod history;
pub mod serve;
pub mod webhook;
