//! Spans of operations, linked to whoever asked for them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dayfly::contain::{brief, contain};
use dayfly::{Ended, Operation, Outcome};
use pin_project_lite::pin_project;
use tracing::field::Empty;
use tracing::instrument::{Instrument, Instrumented};
use tracing::{Span, info_span};

use crate::link::Link;

/// An item with a link to the span that it was made in: what goes into a coordinator whose body is [`traced`].
///
/// It does not keep that span open. With the feature `opentelemetry` the link holds also when that span has ended before the
/// operation starts, as that of a request does that enqueues and answers; without, it is there only if the span still is.
#[derive(Clone)]
pub struct Traced<T> {
    item: T,
    link: Link,
}

impl<T> Traced<T> {
    /// An item that the current span asks for.
    #[must_use]
    pub fn new(item: T) -> Self {
        Self { item, link: Link::capture() }
    }

    /// An item that was asked for by the span that [`trace_parent`](Self::trace_parent) wrote down, in this process or an
    /// earlier one. A text in another form, and any text without the feature `opentelemetry`, is no link and no error.
    #[must_use]
    pub fn from_trace_parent(item: T, trace_parent: &str) -> Self {
        Self { item, link: Link::from_trace_parent(trace_parent) }
    }

    /// The enqueuer's span as text, for queues that outlive the process: in the form of the header `traceparent` of W3C Trace
    /// Context. There is none without the feature `opentelemetry`, nor where spans go to no collector.
    #[must_use]
    pub fn trace_parent(&self) -> Option<String> {
        self.link.trace_parent()
    }

    /// The item.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.item
    }
}

impl<T> From<T> for Traced<T> {
    fn from(item: T) -> Self {
        Self::new(item)
    }
}

impl<T> Deref for Traced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T> DerefMut for Traced<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.item
    }
}

impl<T: fmt::Debug> fmt::Debug for Traced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Traced").field(&self.item).finish()
    }
}

/// A body that runs in a span of its own, one for each attempt, linked to the span that its item was [`Traced`] in.
///
/// The span has the target `dayfly::operation` and the name `operation`, and the fields `otel.name` (the `name` given here,
/// which is what OpenTelemetry calls it), `operation.id`, `operation.attempt`, and in the end `outcome` (`completed`,
/// `failed`, `again`, `cancelled` or `panicked`) and for a failure `error` and `otel.status_code`. It is a root: the enqueuer
/// is linked, not its parent, because it may be over by far when the operation starts. Without a subscriber
/// it costs some tens of nanoseconds for each attempt.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use dayfly::{CoordinatorOptions, KeyedCoordinator, Operation, SignalSink};
/// use dayfly_telemetry::{Traced, traced};
/// # struct Order { customer: u32 }
///
/// let orders = KeyedCoordinator::spawn(
///     CoordinatorOptions::new(),
///     &SignalSink::default(),
///     |order: &Traced<Order>| order.customer,
///     traced("charge", |order: Order, op: Operation| async move {
///         tracing::info!(order.customer, "charging");     // within the operation's span
///         op.done::<_, &str>()
///     }),
/// );
/// orders.enqueue(Traced::new(Order { customer: 7 })).await.unwrap();
/// assert_eq!(orders.drain().await.completed, 1);
/// # }
/// ```
pub fn traced<T, F, Fut>(
    name: impl Into<Cow<'static, str>>,
    body: F,
) -> impl Fn(Traced<T>, Operation) -> InSpan<T, Fut> + Send + Sync + 'static
where
    T: Send + 'static,
    F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Outcome<T>> + Send + 'static,
{
    let name = name.into();
    move |Traced { item, link }, operation| {
        let span = info_span!(
            target: "dayfly::operation",
            parent: None,
            "operation",
            otel.name = &*name,
            otel.kind = "consumer",
            operation.id = operation.id().get(),
            operation.attempt = operation.attempt(),
            outcome = Empty,
            error = Empty,
            otel.status_code = Empty,
        );
        link.follow(&span);
        let body = span.in_scope(|| body(item, operation));
        InSpan { body: body.instrument(span), link: Some(link), is_polled: false, item: PhantomData }
    }
}

pin_project! {
    /// What a [`traced`] body returns: the body's future in its span.
    ///
    /// # Cancel safety
    /// As that of the body; a span that is dropped before its end says `cancelled`.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct InSpan<T, Fut> {
        #[pin]
        body: Instrumented<Fut>,
        // Taken by the end.
        link: Option<Link>,
        // A body that panics leaves this behind.
        is_polled: bool,
        item: PhantomData<fn() -> T>,
    }

    impl<T, Fut> PinnedDrop for InSpan<T, Fut> {
        fn drop(this: Pin<&mut Self>) {
            if this.link.is_some() {
                let outcome = if this.is_polled { "panicked" } else { "cancelled" };
                note(this.body.span(), outcome, None);
            }
        }
    }
}

/// What a body yields, and why it fails.
type ValueOf<T, Fut> = <<Fut as Future>::Output as Outcome<T>>::Value;
type ErrorOf<T, Fut> = <<Fut as Future>::Output as Outcome<T>>::Error;

impl<T, Fut> Future for InSpan<T, Fut>
where
    Fut: Future<Output: Outcome<T>>,
{
    type Output = Ended<Traced<T>, ValueOf<T, Fut>, ErrorOf<T, Fut>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        *this.is_polled = true;
        let polled = this.body.as_mut().poll(context);
        if polled.is_pending() {
            *this.is_polled = false;
        }
        let ended = ready!(polled).into_ended();
        let link = this.link.take().unwrap_or_default();
        let span = this.body.span();
        Poll::Ready(match ended {
            Ended::Done(value) => {
                note(span, "completed", None);
                Ended::Done(value)
            }
            Ended::Failed(error) => {
                note(span, "failed", Some(&error));
                Ended::Failed(error)
            }
            Ended::Again { item, after } => {
                note(span, "again", None);
                Ended::Again { item: Traced { item, link }, after }
            }
        })
    }
}

/// Writes the end into the span. The error's text is foreign code, so it is asked for only if somebody looks.
fn note(span: &Span, outcome: &'static str, error: Option<&dyn fmt::Display>) {
    if span.is_disabled() {
        return;
    }
    span.record("outcome", outcome);
    if let Some(text) = error.and_then(|error| contain(|| brief(&error))) {
        span.record("error", &*text);
    }
    if matches!(outcome, "failed" | "panicked") {
        span.record("otel.status_code", "ERROR");
    }
}

impl<T, Fut> fmt::Debug for InSpan<T, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InSpan").finish_non_exhaustive()
    }
}
