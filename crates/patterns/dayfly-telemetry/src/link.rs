//! Who asked for an operation: the span that was entered when its item was made ready.

use tracing::Span;
use tracing::span::Id;

/// The enqueuer's span, remembered without keeping it open: a span that is held ends late.
#[derive(Clone, Default)]
pub(crate) struct Link {
    enqueuer: Option<Id>,
    /// Holds also when the enqueuer's span has ended, which its id does not.
    #[cfg(feature = "opentelemetry")]
    context: Option<opentelemetry::trace::SpanContext>,
}

impl Link {
    /// The span that is entered now, if there is one.
    pub(crate) fn capture() -> Self {
        let span = Span::current();
        Self {
            enqueuer: span.id(),
            #[cfg(feature = "opentelemetry")]
            context: remote::context(&span),
        }
    }

    /// Links an operation's span to it.
    pub(crate) fn follow(&self, span: &Span) {
        #[cfg(feature = "opentelemetry")]
        if let Some(context) = &self.context {
            // The other way would add the same link again, as long as the enqueuer's span is open.
            tracing_opentelemetry::OpenTelemetrySpanExt::add_link(span, context.clone());
            return;
        }
        span.follows_from(self.enqueuer.clone());
    }
}

#[cfg(feature = "opentelemetry")]
mod remote {
    use opentelemetry::Context;
    use opentelemetry::trace::{SpanContext, TraceContextExt};
    use tracing::Span;
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    /// The span as a collector will know it; failing that, the one that OpenTelemetry itself has as the current one.
    pub(super) fn context(span: &Span) -> Option<SpanContext> {
        let valid =
            |context: &Context| Some(context.span().span_context().clone()).filter(SpanContext::is_valid);
        valid(&span.context()).or_else(|| valid(&Context::current()))
    }
}
