//! The gate in front of a tower service.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::line::Admission;
use crate::wait::Wait;
use crate::{AdmitError, Gate, Refused};

/// Puts a [`Gated`] service around a service.
#[derive(Clone, Debug)]
pub struct GateLayer {
    gate: Gate,
}

/// A service with a gate in front of it.
///
/// `poll_ready` waits while signals defer, before it asks the inner service: nothing behind the gate is reserved
/// meanwhile. While signals cancel it is ready at once, and `call` answers with the refusal: an error of `poll_ready`
/// would mean that the service is of no use any more, and a retracted signal opens the gate again. The inner service is
/// called only after it was ready itself, and a call that is refused in between leaves it so for the next.
///
/// A signal that begins to defer between `poll_ready` and `call` holds the request not back; one that cancels refuses it.
/// Requests have no key here, so in a [keyed](crate::GateOptions::keyed) gate no keyed signal gates them.
///
/// A clone has a readiness and a place in line of its own. One that was left unpolled while it waited keeps its place
/// until it is polled or dropped.
///
/// ```
/// # use std::{convert::Infallible, future::{ready, Ready}, task::{Context, Poll}};
/// # use tower_service::Service; use tower_layer::Layer;
/// # struct Echo;
/// # impl Service<u32> for Echo {
/// #     type Response = u32; type Error = Infallible; type Future = Ready<Result<u32, Infallible>>;
/// #     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> { Poll::Ready(Ok(())) }
/// #     fn call(&mut self, request: u32) -> Self::Future { ready(Ok(request)) }
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_signal::SignalSink;
/// use dayfly_signal_aware::{AdmitError, Gate, GateLayer, GateOptions, Refused};
///
/// let signals = SignalSink::default();
/// let gate = Gate::new(GateOptions::new().cancel_on("shutdown"), &signals);
/// let mut service = GateLayer::new(gate).layer(Echo);
///
/// signals.raise("shutdown");
/// std::future::poll_fn(|context| service.poll_ready(context)).await.unwrap();
/// assert_eq!(service.call(7).await, Err(AdmitError::Refused(Refused::Cancelled(()))));
///
/// signals.retract("shutdown");
/// std::future::poll_fn(|context| service.poll_ready(context)).await.unwrap();
/// assert_eq!(service.call(7).await, Ok(7));
/// # }
/// ```
pub struct Gated<S> {
    inner: S,
    gate: Gate,
    wait: Wait,
    /// Why the next call is refused, as `poll_ready` has found.
    refused: Option<Refused>,
}

impl GateLayer {
    /// Puts this gate in front of services: all of them go by it.
    #[must_use]
    pub const fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated::new(self.gate.clone(), inner)
    }
}

impl<S> Gated<S> {
    /// Puts a gate in front of a service.
    #[must_use]
    pub fn new(gate: Gate, inner: S) -> Self {
        Self { inner, wait: gate.wait(), gate, refused: None }
    }

    /// The gate.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The service behind the gate.
    #[must_use]
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service behind the gate, to be changed: what goes through it asks no signal.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Takes the gate away.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, R> Service<R> for Gated<S>
where
    S: Service<R>,
{
    type Response = S::Response;
    type Error = AdmitError<S::Error>;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.refused = None;
        match ready!(self.wait.poll(context)) {
            // While the inner service is not ready yet, the gate is looked at before each time that it is asked.
            Ok(()) => self.inner.poll_ready(context).map_err(AdmitError::Inner),
            Err(refused) => {
                self.refused = Some(refused);
                Poll::Ready(Ok(()))
            }
        }
    }

    fn call(&mut self, request: R) -> Self::Future {
        let refused = self.refused.take().or_else(|| match self.wait.look() {
            Admission::Refuse(refused @ Refused::Cancelled(())) => Some(refused),
            _ => None,
        });
        self.wait.renew();
        let state = match self.gate.count(refused.map_or(Ok(()), Err)) {
            Ok(()) => State::Passed { response: self.inner.call(request) },
            Err(refused) => State::Refused { refused },
        };
        ResponseFuture { state }
    }
}

impl<S: Clone> Clone for Gated<S> {
    fn clone(&self) -> Self {
        Self::new(self.gate.clone(), self.inner.clone())
    }
}

impl<S: fmt::Debug> fmt::Debug for Gated<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gated").field("inner", &self.inner).field("gate", &self.gate).finish_non_exhaustive()
    }
}

pin_project! {
    /// The response of a [`Gated`] service, or the gate's refusal.
    ///
    /// # Cancel safety
    /// What is lost is what dropping the inner service's response loses.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Passed { #[pin] response: F },
        Refused { refused: Refused },
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<R, E>>,
{
    type Output = Result<R, AdmitError<E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Passed { response } => response.poll(context).map_err(AdmitError::Inner),
            StateProjection::Refused { refused } => Poll::Ready(Err(AdmitError::Refused(*refused))),
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("is_refused", &matches!(self.state, State::Refused { .. }))
            .finish_non_exhaustive()
    }
}
