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

    /// The span that a `traceparent` names; none, if the text is not in that form.
    #[cfg_attr(
        not(feature = "opentelemetry"),
        expect(unused_variables, reason = "only OpenTelemetry can follow it")
    )]
    pub(crate) fn from_trace_parent(text: &str) -> Self {
        Self {
            enqueuer: None,
            #[cfg(feature = "opentelemetry")]
            context: remote::read(text),
        }
    }

    /// The span in the form of a `traceparent`, if a collector will know it.
    #[cfg_attr(
        not(feature = "opentelemetry"),
        expect(clippy::unused_self, reason = "only OpenTelemetry has what it takes")
    )]
    pub(crate) fn trace_parent(&self) -> Option<String> {
        #[cfg(feature = "opentelemetry")]
        return self.context.as_ref().map(remote::write);
        #[cfg(not(feature = "opentelemetry"))]
        return None;
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
    use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
    use tracing::Span;
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    /// The span as a collector will know it; failing that, the one that OpenTelemetry itself has as the current one.
    pub(super) fn context(span: &Span) -> Option<SpanContext> {
        let valid =
            |context: &Context| Some(context.span().span_context().clone()).filter(SpanContext::is_valid);
        valid(&span.context()).or_else(|| valid(&Context::current()))
    }

    /// As W3C Trace Context writes it, in its version 00.
    pub(super) fn write(context: &SpanContext) -> String {
        let flags = context.trace_flags() & TraceFlags::SAMPLED;
        format!("00-{:032x}-{:016x}-{:02x}", context.trace_id(), context.span_id(), flags)
    }

    /// Of any version that may come: later ones may add parts, and mean the same by these.
    pub(super) fn read(text: &str) -> Option<SpanContext> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            let is_hex = |part: &&str| {
                part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            };
            parts.next().filter(is_hex)
        };
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let is_sound = version != "ff" && (version != "00" || parts.next().is_none());
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
        let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
        let context = SpanContext::new(trace, span, flags, true, TraceState::default());
        Some(context).filter(|context| is_sound && context.is_valid())
    }

    #[cfg(test)]
    mod tests {
        use proptest::prelude::*;

        use super::{read, write};

        const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

        #[test]
        fn what_is_written_is_read_as_the_same() {
            let context = read(GOOD).unwrap();
            assert!(context.is_sampled() && context.is_remote());
            assert_eq!(write(&context), GOOD);
            assert_eq!(write(&read(&GOOD.replace("-01", "-00")).unwrap()), GOOD.replace("-01", "-00"));
        }

        #[test]
        fn later_versions_are_read_as_far_as_they_are_known() {
            assert_eq!(read(&(GOOD.replacen("00", "01", 1) + "-more")), read(GOOD));
        }

        #[test]
        fn other_texts_name_no_span() {
            let trace = "0af7651916cd43dd8448eb211c80319c";
            for wrong in [
                String::new(),
                "-".to_owned(),
                GOOD.to_uppercase(),
                GOOD.replacen("00", "ff", 1),
                format!("{GOOD}-more"),
                GOOD.replace(trace, &"0".repeat(32)),
                GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
                GOOD.replace(trace, &trace[1..]),
                GOOD.replace(trace, &format!("+{}", &trace[1..])),
                GOOD.replace("-01", ""),
            ] {
                assert_eq!(read(&wrong), None, "{wrong}");
            }
        }

        proptest! {
            #[test]
            fn any_text_is_read_or_refused_and_never_a_panic(text in "\\PC{0,60}|[0-9a-f-]{50,60}") {
                if let Some(context) = read(&text) {
                    prop_assert_eq!(read(&write(&context)), Some(context));
                }
            }
        }
    }
}
