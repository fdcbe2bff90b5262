//! In the place of an exporter where the relay was built without the feature `otlp`.

use std::time::Duration;

use dayfly::SignalSink;
use dayfly_telemetry::Telemetry;

use super::TelemetryError;
use crate::serve::log::Log;
use crate::serve::settings::TelemetrySettings;

/// There is none.
#[derive(Debug)]
pub(in crate::serve) enum Exporter {}

impl Exporter {
    /// Nothing, unless the settings ask for something, which their check has told of by then.
    pub(in crate::serve) fn start(
        settings: &TelemetrySettings,
        _: &SignalSink,
    ) -> Result<Option<Self>, TelemetryError> {
        if settings.otlp.is_some() { Err(TelemetryError::NotBuilt) } else { Ok(None) }
    }

    pub(in crate::serve) fn telemetry(&self) -> Telemetry {
        match *self {}
    }

    pub(in crate::serve) fn watch(&self, _: Log) -> impl Future<Output = ()> + Send + use<> {
        match *self {}
        #[expect(unreachable_code, reason = "it says of what type the future would be")]
        async {}
    }

    #[expect(clippy::unused_async, reason = "its form is that of the other one")]
    pub(in crate::serve) async fn end(self, _: Duration, _: Log) {
        match self {}
    }
}
