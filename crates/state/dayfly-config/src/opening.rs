//! From sources to a configuration that is followed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Weak};

use dayfly_signal::SignalSink;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::contain::contain;
use crate::contents::{Contents, Disk};
use crate::error::OpenError;
use crate::feed::{Feed, Next, REQUESTS, Request};
use crate::hints::Hints;
use crate::judge::{Judge, Judged};
use crate::options::WatchOptions;
use crate::problem::{Problem, Rejection};
use crate::shared::{Shared, lock};
use crate::sources::Sources;
use crate::validate::Validate;
use crate::voice::{Outcome, Voice};
use crate::watching::Watching;

/// Sources that are watched and have been read once.
pub(crate) struct Opening<T> {
    judge: Judge<T>,
    watching: Watching,
    hints: Arc<Hints>,
    contents: Contents,
    options: WatchOptions,
    voice: Voice,
}

/// What a first reading came to.
type First<T> = Result<Judged<T>, Vec<Problem>>;

impl<T: DeserializeOwned + Send + Sync + 'static> Opening<T> {
    /// # Errors
    /// When the sources themselves are wrong, which no change of a file can mend.
    pub(crate) fn new(
        sources: Sources,
        options: WatchOptions,
        signals: &SignalSink,
        validate: Box<dyn Validate<T>>,
    ) -> Result<Self, OpenError> {
        let sources = sources.resolved().map_err(|problems| OpenError { problems })?;
        let watching = Watching::new(Box::new(Disk), sources.files.clone(), options.max_file_size);
        let (hints, contents) = (Arc::default(), Contents(Vec::new()));
        let judge = Judge::new(sources, validate);
        Ok(Self { judge, watching, hints, contents, options, voice: Voice::new(signals) })
    }

    /// Watches, reads and judges; none when the runtime ends.
    pub(crate) async fn read(mut self) -> Option<(Self, First<T>)> {
        let read = spawn_blocking(move || {
            if self.options.watch {
                self.watching.listen(&self.hints);
            }
            self.contents = self.watching.read();
            let judged = self.judge.judge(&self.contents, &BTreeSet::new(), None);
            (self, judged)
        });
        read.await.ok()
    }

    /// Puts the first value in force and follows the sources from now on.
    pub(crate) fn follow(self, judged: Judged<T>) -> Arc<Shared<T>> {
        let (sender, requests) = mpsc::channel(REQUESTS);
        let feed = Feed::new(self.watching, self.hints, &self.contents, &self.options, requests);
        start(self.judge, feed, judged, sender, self.voice, None)
    }

    /// Waits until the sources are valid for the first time, as long as anybody wants to know.
    pub(crate) async fn follow_when_valid(
        self,
        found: watch::Sender<Option<Arc<Shared<T>>>>,
        last_rejection: Arc<Mutex<Option<Arc<Rejection>>>>,
    ) {
        let Some((opening, mut judged)) = self.read().await else { return };
        let (mut judge, voice) = (opening.judge, opening.voice);
        let (sender, requests) = mpsc::channel(REQUESTS);
        let mut feed =
            Feed::new(opening.watching, opening.hints, &opening.contents, &opening.options, requests);
        loop {
            match judged {
                Ok(judged) => {
                    let rejection = lock(&last_rejection).clone();
                    let shared = start(judge, feed, judged, sender, voice, rejection);
                    shared.tell_of_first();
                    found.send_replace(Some(shared));
                    return;
                }
                Err(problems) => {
                    let rejection = Arc::new(Rejection { problems, at: Instant::now(), generation: 0 });
                    *lock(&last_rejection) = Some(Arc::clone(&rejection));
                    voice.tell(Outcome::Rejected(&rejection));
                }
            }
            let next = {
                let mut next = std::pin::pin!(feed.next());
                let mut given_up = std::pin::pin!(found.closed());
                std::future::poll_fn(|context| {
                    if given_up.as_mut().poll(context).is_ready() {
                        return std::task::Poll::Ready(Next::Closed);
                    }
                    next.as_mut().poll(context)
                })
                .await
            };
            let Next::Judge(contents, _) = next else { return };
            let again = spawn_blocking(move || {
                let judged = judge.judge(&contents, &BTreeSet::new(), None);
                (judge, judged)
            });
            let Ok(again) = again.await else { return };
            (judge, judged) = again;
        }
    }
}

fn start<T: DeserializeOwned + Send + Sync + 'static>(
    mut judge: Judge<T>,
    feed: Feed,
    judged: Judged<T>,
    sender: mpsc::Sender<Request>,
    voice: Voice,
    last_rejection: Option<Arc<Rejection>>,
) -> Arc<Shared<T>> {
    let (value, facts, last) = judged.into_parts();
    judge.take(last);
    let secrets = judge.sources.secrets.clone();
    let shared = Arc::new(Shared::new(value, facts, secrets, sender, voice, last_rejection));
    // The task ends by itself, with the last handle.
    drop(Handle::current().spawn(follow(judge, feed, Arc::downgrade(&shared))));
    shared
}

/// Judges what comes, one content after the other, until nobody is left to do it for.
async fn follow<T: DeserializeOwned + Send + Sync + 'static>(
    mut judge: Judge<T>,
    mut feed: Feed,
    shared: Weak<Shared<T>>,
) {
    while let Next::Judge(contents, requests) = feed.next().await {
        let Some(shared) = shared.upgrade() else { return };
        // All of it on one thread: a runtime that ends does not stop between asking and telling.
        let applied = spawn_blocking(move || {
            let applied = contain(|| shared.apply(&mut judge, &contents));
            drop(contain(|| drop(shared)));
            (judge, applied)
        });
        let Ok((back, applied)) = applied.await else { return };
        judge = back;
        if let Ok(applied) = applied {
            for request in requests {
                // Who has gone does not want to know any more.
                drop(request.send(applied.clone()));
            }
        }
    }
}
