//! Connections of the API: so many at once, each with a time limit on what it sends.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// No sensible client sends more.
const MAX_HEADERS: usize = 64;
const HEAD_BYTES: usize = 16 * 1024;

/// How long connections may take to end once everything else has.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// How long to wait when the system has no more connections to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The bounds of connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) connections: usize,
    /// How long a client may take to send the head of a request; also how long a connection may be idle.
    pub(super) head_timeout: Duration,
}

/// Answers until it is stopped; then answers what has been asked, and ends.
pub(super) async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let connections = TaskTracker::new();
    let accept = async {
        loop {
            // Without a place nobody is let in: whoever comes waits in the system's queue.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let answering = connection(stream, router.clone(), bounds.head_timeout, stop.clone());
                    connections.spawn(async move {
                        answering.await;
                        drop(place);
                    });
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    };
    stop.run_until_cancelled(accept).await;
    connections.close();
    // Who does not take its answer by then has to do without.
    drop(tokio::time::timeout(LAST_ANSWERS, connections.wait()).await);
}

async fn connection(stream: TcpStream, router: Router, head_timeout: Duration, stop: CancellationToken) {
    // Answers are small and whole; they do not wait for more. Where it cannot be set, they wait.
    drop(stream.set_nodelay(true));
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        // Who has said all that it has to say is answered all the same.
        .half_close(true)
        .max_headers(MAX_HEADERS)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ended = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    // Whatever a client does wrong ends its connection and nothing else.
    drop(connection.await);
}
