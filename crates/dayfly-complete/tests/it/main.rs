//! One crate for all: its names are those of the single crates.

use std::any::TypeId;

#[test]
fn the_core_stands_at_the_root_and_its_types_are_the_same() {
    assert_eq!(TypeId::of::<dayfly_complete::Coordinator<u32>>(), TypeId::of::<dayfly::Coordinator<u32>>());
    assert_eq!(
        TypeId::of::<dayfly_complete::SignalSink>(),
        TypeId::of::<dayfly_complete::signal::SignalSink>()
    );
}

#[cfg(feature = "signal-aware")]
#[test]
fn a_crate_stands_in_a_module_of_its_name() {
    use dayfly_complete::signal_aware::{Gate, GateOptions, Verdict};

    let signals = dayfly_complete::SignalSink::default();
    assert_eq!(Gate::new(GateOptions::new(), &signals).check(), Verdict::Open);
}
