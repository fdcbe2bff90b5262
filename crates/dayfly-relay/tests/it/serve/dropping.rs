//! A service that is dropped while it starts or ends, over real files and sockets: the next one finds everything.
//!
//! What needs no socket is dropped at every moment on a paused clock, in the relay's own tests. Here the moments are those
//! that the real clock gives.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use dayfly_relay::serve::log::Log;
use dayfly_relay::serve::service::{ServeError, Service};
use serde_json::json;
use tokio::net::TcpListener;

use super::receiver::Receiver;
use super::stage::{Asking, HEAD, Place, endpoint, in_time};

/// Polls a future up to so many times and lets go of it.
async fn polled<T>(most: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut polls) = (pin!(future), 0);
    poll_fn(|context| {
        polls += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if polls >= most => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Starts on a file whose last service was dropped: its store is free once its threads have seen that, which nothing tells.
async fn start(place: &Place) -> Service {
    let started = async {
        loop {
            match Service::start(&place.file(), Log::Silent).await {
                Ok(service) => return service,
                Err(ServeError::Store(_) | ServeError::Listen { .. }) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    in_time("it starts again", started).await
}

#[tokio::test]
async fn a_start_or_an_end_that_is_dropped_loses_nothing_and_keeps_nothing() {
    let receiver = Receiver::open().await;
    let place = Place::new("");
    let store = place.path().join("relay.db");
    let text =
        format!("{HEAD}store = \"redb:{}\"\n{}", store.display(), endpoint("one", &receiver.url(), ""));
    place.write(&text);
    let (mut moments, mut is_whole) = (0, false);
    while !is_whole {
        moments += 1;
        assert!(moments < 1_000, "it never starts");
        let started = polled(moments, Service::start(&place.file(), Log::Silent)).await;
        is_whole = started.is_some();
        // One that was started is not ended by anybody, but by the drop of its drain.
        if let Some(service) = started {
            drop(service.unwrap().drain());
        }
        let service = start(&place).await;
        let api = Asking::new(&format!("http://{}", service.address()));
        let event = json!({ "id": moments.to_string(), "type": "x", "key": "k", "data": 1 });
        let (status, answer) = api.post("/events", event.to_string()).await;
        assert_eq!((status.as_u16(), &answer["duplicates"]), (202, &0.into()));
        in_time("it is delivered", service.relay().idle()).await;
        let address = service.address();
        let _ended = polled(1 + moments % 4, service.drain()).await;
        // Nobody waited for its end, and it comes all the same.
        let free = async {
            while TcpListener::bind(address).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        in_time("its address is free", free).await;
    }
    let mut ids: Vec<usize> = receiver.ids().iter().map(|id| id.parse().unwrap()).collect();
    ids.dedup();
    assert_eq!(ids, (1..=moments).collect::<Vec<_>>());
}
