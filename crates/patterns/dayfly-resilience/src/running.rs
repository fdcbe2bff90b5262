//! A call that the breaker has admitted, and what it means when it is not polled to its end.

use std::borrow::BorrowMut;
use std::marker::PhantomData;
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

/// What a call says that is not polled to its end. Dropped while nothing of the call runs it says nothing, also when it is
/// dropped because something beside it in its task panicked; only a panic out of the call itself is a failure.
pub(crate) struct Guard<P: Pass> {
    pass: Option<P>,
    is_inside: bool,
}

pin_project! {
    /// A call under way, beside its guard or with a borrowed one.
    pub(crate) struct Running<F, P: Pass, G: BorrowMut<Guard<P>>> {
        #[pin]
        work: F,
        guard: G,
        pass: PhantomData<P>,
    }
}

impl<F, P: Pass, G: BorrowMut<Guard<P>>> Running<F, P, G> {
    #[inline]
    pub(crate) const fn new(work: F, guard: G) -> Self {
        Self { work, guard, pass: PhantomData }
    }

    /// The work has ended, and this is what it says.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn end(self: Pin<&mut Self>, judgement: Judgement) {
        self.project().guard.borrow_mut().end(judgement);
    }
}

impl<F: Future, P: Pass, G: BorrowMut<Guard<P>>> Future for Running<F, P, G> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let guard: &mut Guard<P> = this.guard.borrow_mut();
        guard.is_inside = true;
        let polled = this.work.poll(context);
        // What has been waited for goes on at once.
        guard.is_inside = polled.is_ready();
        polled
    }
}

impl<P: Pass> Guard<P> {
    /// A call that the breaker has admitted with this, if there is one, and that begins now.
    #[inline]
    pub(crate) const fn new(pass: Option<P>) -> Self {
        Self { pass, is_inside: true }
    }

    /// The same, of one that begins when it is polled.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) const fn outside(pass: P) -> Self {
        Self { pass: Some(pass), is_inside: false }
    }

    #[inline]
    pub(crate) fn end(&mut self, judgement: Judgement) {
        if let Some(pass) = self.pass.take() {
            pass.record(judgement);
        }
    }
}

impl<P: Pass> Drop for Guard<P> {
    #[inline]
    fn drop(&mut self) {
        self.end(if self.is_inside { Judgement::Failure } else { Judgement::Ignored });
    }
}
