//! A body that holds its place in a limit.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use dayfly_limit::Permit;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response that holds its place in the limit until it ends, fails or is dropped, as it is when a client
    /// hangs up. It has ended when it says so, trailers included, and not only when somebody asks for more: one that is empty
    /// holds nothing.
    pub struct HeldBody<B> {
        #[pin]
        body: B,
        permit: Option<Permit>,
    }
}

impl<B: Body> HeldBody<B> {
    pub(crate) fn new(body: B, permit: Option<Permit>) -> Self {
        let permit = permit.filter(|_| !body.is_end_stream());
        Self { body, permit }
    }
}

impl<B> HeldBody<B> {
    /// The body by itself. Its place in the limit is given back.
    pub fn into_inner(self) -> B {
        self.body
    }
}

impl<B: Body> Body for HeldBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = this.body.as_mut().poll_frame(context);
        let has_ended = match &polled {
            Poll::Ready(None | Some(Err(_))) => true,
            // Nobody has to ask again for what says that this was the last of it.
            Poll::Ready(Some(Ok(_))) => this.body.is_end_stream(),
            Poll::Pending => false,
        };
        if has_ended {
            *this.permit = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> fmt::Debug for HeldBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldBody").field("permit", &self.permit).finish_non_exhaustive()
    }
}
