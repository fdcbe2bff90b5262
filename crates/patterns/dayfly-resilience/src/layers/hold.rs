//! How long a permit is held.

use std::fmt;

use dayfly_limit::Permit;

/// How long a response holds its place in the limit. There are two ways; others cannot be added from outside.
pub trait Hold<R>: sealed::Sealed {
    /// The response as the caller gets it.
    type Response;

    #[doc(hidden)]
    fn hold(response: R, permit: Option<Permit>) -> Self::Response;
}

/// Until there is a response, or the caller gives up.
#[derive(Clone, Copy, Default)]
pub struct UntilResponse(());

impl<R> Hold<R> for UntilResponse {
    type Response = R;

    #[inline]
    fn hold(response: R, permit: Option<Permit>) -> R {
        drop(permit);
        response
    }
}

impl fmt::Debug for UntilResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UntilResponse")
    }
}

/// Until the body of the response ends, or is dropped: the work of a server is not done when it has sent the head.
#[cfg(feature = "http")]
#[derive(Clone, Copy, Default)]
pub struct UntilBodyEnds(());

#[cfg(feature = "http")]
impl<B: http_body::Body> Hold<http::Response<B>> for UntilBodyEnds {
    type Response = http::Response<super::HeldBody<B>>;

    fn hold(response: http::Response<B>, permit: Option<Permit>) -> Self::Response {
        response.map(|body| super::HeldBody::new(body, permit))
    }
}

#[cfg(feature = "http")]
impl fmt::Debug for UntilBodyEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UntilBodyEnds")
    }
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::UntilResponse {}

    #[cfg(feature = "http")]
    impl Sealed for super::UntilBodyEnds {}
}
