//! A call that the breaker has admitted, and what it means when it is not polled to its end.

use std::pin::Pin;
use std::task::{Context, Poll};

use dayfly_circuit_breaker::{Judgement, Permit};
use pin_project_lite::pin_project;

/// The breaker's permit: of a borrowed breaker, or of one's own.
pub(crate) trait Pass {
    fn record(self, judgement: Judgement);
}

impl Pass for Permit<'_> {
    #[inline]
    fn record(self, judgement: Judgement) {
        Permit::record(self, judgement);
    }
}

#[cfg(feature = "tower")]
impl Pass for dayfly_circuit_breaker::OwnedPermit {
    #[inline]
    fn record(self, judgement: Judgement) {
        dayfly_circuit_breaker::OwnedPermit::record(self, judgement);
    }
}

pin_project! {
    /// A call under way. Dropped before its end, it says nothing, also when it is dropped because something beside it in its
    /// task panicked; only a panic out of the call itself is a failure.
    pub(crate) struct Running<P: Pass, F> {
        #[pin]
        work: F,
        guard: Guard<P>,
    }
}

struct Guard<P: Pass> {
    permit: Option<P>,
    is_inside: bool,
}

impl<P: Pass, F> Running<P, F> {
    #[inline]
    pub(crate) const fn new(permit: P, work: F) -> Self {
        Self { work, guard: Guard { permit: Some(permit), is_inside: false } }
    }

    /// The work has ended, and this is what it says.
    #[inline]
    pub(crate) fn end(self: Pin<&mut Self>, judgement: Judgement) {
        self.project().guard.end(judgement);
    }
}

impl<P: Pass, F: Future> Future for Running<P, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.guard.is_inside = true;
        let polled = this.work.poll(context);
        this.guard.is_inside = false;
        polled
    }
}

impl<P: Pass> Guard<P> {
    #[inline]
    fn end(&mut self, judgement: Judgement) {
        if let Some(permit) = self.permit.take() {
            permit.record(judgement);
        }
    }
}

impl<P: Pass> Drop for Guard<P> {
    #[inline]
    fn drop(&mut self) {
        self.end(if self.is_inside { Judgement::Failure } else { Judgement::Ignored });
    }
}
