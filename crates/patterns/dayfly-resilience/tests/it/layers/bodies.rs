//! A place that is held until the body of a response ends, however it ends.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use dayfly_limit::Limiter;
use dayfly_resilience::{HeldBody, LimitLayer, Pipeline, PipelineLayer};
use dayfly_signal::SignalSink;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use tower_layer::Layer;
use tower_service::Service;

use crate::support::PLAIN;

/// What a body does when it is asked for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Data,
    Trailers,
    Fails,
    Waits,
    Panics,
}

/// A body of these pieces; it may know before somebody asks that there are no more.
#[derive(Clone, Debug)]
struct Pieces {
    left: VecDeque<Piece>,
    knows_its_end: bool,
}

fn pieces(left: &[Piece]) -> Pieces {
    Pieces { left: left.iter().copied().collect(), knows_its_end: true }
}

impl Body for Pieces {
    type Data = &'static [u8];
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.left.pop_front() {
            None => Poll::Ready(None),
            Some(Piece::Data) => Poll::Ready(Some(Ok(Frame::data(b"data")))),
            Some(Piece::Trailers) => Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new())))),
            Some(Piece::Fails) => Poll::Ready(Some(Err("torn"))),
            Some(Piece::Waits) => Poll::Pending,
            Some(Piece::Panics) => panic!("a bug"),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(7)
    }
}

/// Answers with what it is sent.
#[derive(Clone)]
struct Echo;

impl Service<Pieces> for Echo {
    type Response = Response<Pieces>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Pieces>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, body: Pieces) -> Self::Future {
        ready(Ok(Response::new(body)))
    }
}

type Polled = Poll<Option<Result<Frame<&'static [u8]>, &'static str>>>;

fn more(body: &mut HeldBody<Pieces>) -> Polled {
    Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
}

async fn body<S>(service: &mut S, body: Pieces) -> HeldBody<Pieces>
where
    S: Service<Pieces, Response = Response<HeldBody<Pieces>>>,
    S::Error: std::fmt::Debug,
{
    poll_fn(|context| service.poll_ready(context)).await.unwrap();
    service.call(body).await.unwrap().into_body()
}

async fn holds_until_the_end<S>(mut service: S, in_use: impl Fn() -> usize)
where
    S: Service<Pieces, Response = Response<HeldBody<Pieces>>>,
    S::Error: std::fmt::Debug,
{
    use Piece::{Data, Fails, Panics, Trailers, Waits};

    let empty = body(&mut service, pieces(&[])).await;
    assert_eq!(in_use(), 0, "an empty one has ended before somebody asks");
    assert!(empty.is_end_stream());

    let mut trailed = body(&mut service, pieces(&[Waits, Data, Data, Trailers])).await;
    assert!(!trailed.is_end_stream() && trailed.size_hint().exact() == Some(7));
    for before_the_end in 0..3 {
        assert_eq!(in_use(), 1, "{before_the_end}");
        assert_eq!(more(&mut trailed).is_pending(), before_the_end == 0);
    }
    assert_eq!(in_use(), 1, "there are trailers yet");
    assert!(matches!(more(&mut trailed), Poll::Ready(Some(Ok(frame))) if frame.is_trailers()));
    assert_eq!(in_use(), 0);

    // One that does not know has ended when it is asked.
    let mut unsure = body(&mut service, Pieces { knows_its_end: false, ..pieces(&[Data]) }).await;
    assert!(more(&mut unsure).is_ready() && in_use() == 1);
    assert!(matches!(more(&mut unsure), Poll::Ready(None)) && in_use() == 0);

    let mut torn = body(&mut service, pieces(&[Data, Fails, Data])).await;
    assert!(more(&mut torn).is_ready() && in_use() == 1);
    assert!(matches!(more(&mut torn), Poll::Ready(Some(Err("torn")))) && in_use() == 0);

    let dropped = body(&mut service, pieces(&[Data])).await;
    assert_eq!(in_use(), 1);
    drop(dropped);
    assert_eq!(in_use(), 0);

    let taken_out = body(&mut service, pieces(&[Data])).await.into_inner();
    assert_eq!((in_use(), taken_out.left.len()), (0, 1));

    let mut broken = body(&mut service, pieces(&[Panics])).await;
    assert!(catch_unwind(AssertUnwindSafe(|| drop(more(&mut broken)))).is_err());
    drop(broken);
    assert_eq!(in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_a_place_until_the_body_ends_and_no_longer() {
    let limiter = Limiter::with_limit(1);
    let service = LimitLayer::new(limiter.clone()).hold_until_body_ends().layer(Echo);
    holds_until_the_end(service, || limiter.stats().in_use).await;
}

#[tokio::test(start_paused = true)]
async fn so_does_a_pipeline() {
    let options = PLAIN.max_concurrency(1).attempts(3);
    let bank = Pipeline::<Infallible>::new("bank", options, &SignalSink::default());
    let service = PipelineLayer::new(&bank).hold_until_body_ends().layer(Echo);
    holds_until_the_end(service, || bank.stats().limiter.in_use).await;
}

/// Without being asked to, a limit holds it until there is a response.
#[tokio::test(start_paused = true)]
async fn a_limit_that_was_not_asked_to_holds_no_body() {
    let limiter = Limiter::with_limit(1);
    let mut service = LimitLayer::new(limiter.clone()).layer(Echo);
    poll_fn(|context| service.poll_ready(context)).await.unwrap();
    let response = service.call(pieces(&[Piece::Data])).await.unwrap();
    assert_eq!((limiter.stats().in_use, response.into_body().left.len()), (0, 1));
}
