//! A call that is under way: what it means when it is not polled to its end.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::permit::{Judgement, Permit};

/// Dropped before its end, it says nothing, also when it is dropped because something beside it panicked. Only a panic out
/// of the call itself is a failure.
pub(crate) struct Running<'a> {
    permit: Option<Permit<'a>>,
    is_inside: bool,
}

impl<'a> Running<'a> {
    #[inline]
    pub(crate) const fn new(permit: Permit<'a>) -> Self {
        Self { permit: Some(permit), is_inside: false }
    }

    #[inline]
    pub(crate) fn poll<F: Future>(
        &mut self,
        work: Pin<&mut F>,
        context: &mut Context<'_>,
    ) -> Poll<F::Output> {
        self.is_inside = true;
        let polled = work.poll(context);
        self.is_inside = false;
        polled
    }

    #[inline]
    pub(crate) fn end(mut self, judgement: Judgement) {
        if let Some(permit) = self.permit.take() {
            permit.record(judgement);
        }
    }
}

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.record(if self.is_inside { Judgement::Failure } else { Judgement::Ignored });
        }
    }
}
