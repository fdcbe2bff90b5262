//! What signals do to a coordinator beyond gating its starts: a drain signal closes it, a clear signal clears others.
//! Both act in the raiser's call, so an idle coordinator hears them too.

use std::sync::Weak;

use dayfly_signal::{Listener, PatternSet, SignalKind, SignalSink};

use super::{Engine, Key};
use crate::schedule::Schedule;

/// The listeners of one coordinator; they end with it.
pub(super) struct Reflexes(#[expect(dead_code, reason = "held for its drop")] Vec<Listener>);

impl Reflexes {
    pub(super) fn start<S>(
        engine: Weak<Engine<S>>,
        signals: &SignalSink,
        drain_on: PatternSet,
        clear_on: Vec<(PatternSet, PatternSet)>,
    ) -> Self
    where
        S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
    {
        let mut listeners = Vec::new();
        if !drain_on.is_empty() {
            listeners.push(signals.listen(drain_on, move |signal| {
                if signal.kind() == SignalKind::Raised
                    && let Some(engine) = engine.upgrade()
                {
                    engine.close();
                }
            }));
        }
        for (patterns, cleared) in clear_on {
            let sink = signals.clone();
            listeners.push(signals.listen(patterns, move |signal| {
                if signal.kind() == SignalKind::Raised {
                    sink.clear_matching(&cleared);
                }
            }));
        }
        Self(listeners)
    }
}
