//! The harness passes what is sound and catches what was planted.

mod planted;
mod scenarios;
mod sound;
mod time;
