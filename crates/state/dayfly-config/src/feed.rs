//! Brings contents that have settled, or that somebody asks for, to who judges them.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use crate::contents::{Contents, Fingerprints};
use crate::hints::Hints;
use crate::options::WatchOptions;
use crate::problem::Rejection;
use crate::settle::{Settle, Verdict};
use crate::watching::Watching;

/// Somebody who wants the sources read now, and waits for what comes of it.
pub(crate) type Request = oneshot::Sender<Result<u64, Arc<Rejection>>>;

/// Who asks beyond this waits for room; all who have asked are answered by one reading.
pub(crate) const REQUESTS: usize = 16;

pub(crate) struct Feed {
    /// Away while it is read on another thread.
    watching: Option<Watching>,
    hints: Arc<Hints>,
    prints: Fingerprints,
    settle: Settle,
    requests: mpsc::Receiver<Request>,
}

pub(crate) enum Next {
    /// To be judged, for those who asked, if any.
    Judge(Contents, Vec<Request>),
    /// Nobody is left to judge for, or the runtime ends.
    Closed,
}

enum Woken {
    Asked(Option<Request>),
    Hinted,
    InTime,
}

impl Feed {
    /// Goes on from what was read first.
    pub(crate) fn new(
        watching: Watching,
        hints: Arc<Hints>,
        first: &Contents,
        options: &WatchOptions,
        requests: mpsc::Receiver<Request>,
    ) -> Self {
        let prints = Fingerprints::default();
        let settle = Settle::new(options, Instant::now(), prints.of(first));
        Self { watching: Some(watching), hints, prints, settle, requests }
    }

    pub(crate) async fn next(&mut self) -> Next {
        loop {
            match self.woken().await {
                Woken::Asked(None) => return Next::Closed,
                Woken::Asked(Some(request)) => {
                    let mut requests = vec![request];
                    while let Ok(request) = self.requests.try_recv() {
                        requests.push(request);
                    }
                    let Some(contents) = self.read().await else { return Next::Closed };
                    self.settle.judged(Instant::now(), self.prints.of(&contents));
                    return Next::Judge(contents, requests);
                }
                Woken::Hinted => self.settle.hint(Instant::now()),
                Woken::InTime => {}
            }
            if self.settle.wants_reading(Instant::now()) {
                let Some(contents) = self.read().await else { return Next::Closed };
                let print = self.prints.of(&contents);
                if self.settle.read(Instant::now(), print) == Verdict::Judge {
                    return Next::Judge(contents, Vec::new());
                }
            }
        }
    }

    /// Reads on a thread for blocking work; none when the runtime ends.
    async fn read(&mut self) -> Option<Contents> {
        let mut watching = self.watching.take()?;
        let read = spawn_blocking(move || {
            let contents = watching.read();
            (watching, contents)
        });
        let (watching, contents) = read.await.ok()?;
        self.watching = Some(watching);
        Some(contents)
    }

    async fn woken(&mut self) -> Woken {
        let due = self.settle.due();
        let mut asked = pin!(self.requests.recv());
        let mut hinted = pin!(self.hints.heard());
        let mut in_time = pin!(async {
            match due {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        });
        poll_fn(|context| {
            if let Poll::Ready(request) = asked.as_mut().poll(context) {
                return Poll::Ready(Woken::Asked(request));
            }
            if hinted.as_mut().poll(context).is_ready() {
                return Poll::Ready(Woken::Hinted);
            }
            in_time.as_mut().poll(context).map(|()| Woken::InTime)
        })
        .await
    }
}
