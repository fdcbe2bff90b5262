//! How a request is sent twice.

/// Makes a copy of a request, for another attempt: any closure that takes it and returns one, or `None` when it can be sent
/// only once. It is asked before the request is sent.
pub trait Repeat<Q> {
    /// A copy, if there can be one.
    fn repeat(&self, request: &Q) -> Option<Q>;
}

/// Requests are cloned.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cloned;

impl<Q: Clone> Repeat<Q> for Cloned {
    #[inline]
    fn repeat(&self, request: &Q) -> Option<Q> {
        Some(request.clone())
    }
}

impl<Q, F: Fn(&Q) -> Option<Q>> Repeat<Q> for F {
    #[inline]
    fn repeat(&self, request: &Q) -> Option<Q> {
        self(request)
    }
}
