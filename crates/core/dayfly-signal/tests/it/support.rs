//! What several behaviours need to be shown.

use dayfly_signal::SignalSink;

pub(crate) fn raise_all(signals: &SignalSink, names: &[&str]) {
    for name in names {
        signals.raise(*name);
    }
}
