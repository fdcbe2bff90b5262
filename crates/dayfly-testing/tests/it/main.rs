//! The harness passes what is sound and catches what was planted.

mod caught;
mod planted;
mod sound;
mod time;
