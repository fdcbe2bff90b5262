//! Models: the modules in which threads meet, as they are shipped, each under every order of its steps that loom finds.
//!
//! `dayfly-loom [--full] [MODEL...]`. Without `--full`, large models stop at three preemptions.

#[expect(dead_code, reason = "more stands in the module than models need")]
#[path = "../../../crates/patterns/dayfly-circuit-breaker/src/aside.rs"]
mod aside;
#[expect(dead_code, reason = "more stands in the module than models need")]
#[path = "../../../crates/core/dayfly-signal/src/clock.rs"]
mod clock;
#[expect(dead_code, reason = "more stands in the module than models need")]
#[path = "../../../crates/core/dayfly/src/contain.rs"]
mod contain;
mod desk;
mod engine;
mod explore;
mod figures;
#[path = "../../../crates/atoms/dayfly-limit/src/lane.rs"]
mod lane;
mod lanes;
#[path = "../../../crates/core/dayfly/src/latch.rs"]
mod latch;
mod latches;
#[expect(dead_code, reason = "more stands in the module than models need")]
#[path = "../../../crates/core/dayfly/src/pass.rs"]
mod pass;
mod passes;
#[path = "../../../crates/core/dayfly-signal/src/published.rs"]
mod published;
mod raises;
#[path = "../../../crates/core/dayfly/src/recent.rs"]
mod recent;
mod rows;
#[expect(dead_code, reason = "more stands in the module than models need")]
#[path = "../../../crates/patterns/dayfly-circuit-breaker/src/run.rs"]
mod run;
mod schedule;
mod sync;
mod windows;

use std::process::ExitCode;

fn main() -> ExitCode {
    let (flags, names): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with('-'));
    if let ([flag], [name, is_full]) = (&*flags, &*names)
        && flag == fan_out::ALONE
    {
        return exit(explore::alone(name, is_full == "true"));
    }
    if let Some(flag) = flags.iter().find(|flag| *flag != "--full") {
        eprintln!("there is no {flag}");
        return ExitCode::FAILURE;
    }
    exit(explore::run(&names, !flags.is_empty()))
}

fn exit(holds: bool) -> ExitCode {
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
