//! Threads that drive workers, each its own: a worker that waits puts its thread to sleep, and a body that blocks holds
//! up nobody else.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};

use dayfly::{Crew, Worker};
use tokio::runtime::Handle;

use crate::{FixedWorkOptions, SpawnError};

/// A crew of so many threads. Each waits for its worker and ends by itself when that does, or when there is to be none: so
/// a thread that the system refuses is known before there is anything to be undone.
pub(crate) fn threads(options: &FixedWorkOptions, workers: usize) -> Result<Crew, SpawnError> {
    let runtime = Handle::current();
    let posts = (0..workers).map(|number| {
        let mut builder = thread::Builder::new().name(format!("{}-{number}", options.thread_name));
        if let Some(bytes) = options.stack_size {
            builder = builder.stack_size(bytes);
        }
        let (post, own) = sync_channel(1);
        let runtime = runtime.clone();
        let started = builder.spawn(move || {
            let Ok(worker) = own.recv() else { return };
            // So that bodies find the runtime, and clocks and timers are its own.
            let _inside = runtime.enter();
            drive(worker);
        });
        match started {
            Ok(_) => Ok(post),
            Err(source) => Err(SpawnError { number, workers, source }),
        }
    });
    let posts = posts.collect::<Result<Vec<SyncSender<Worker>>, SpawnError>>()?;
    Ok(Crew::new(workers, move |number, worker| {
        // A thread that is gone has panicked, as none of ours does; a worker that comes back is dropped, as it must be.
        drop(posts[number].send(worker));
    }))
}

/// Polls a worker on this thread until it completes, and sleeps in between.
fn drive(worker: Worker) {
    let bed = Arc::new(Bed { thread: thread::current(), was_woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&bed));
    let mut context = Context::from_waker(&waker);
    let mut worker = pin!(worker);
    while worker.as_mut().poll(&mut context).is_pending() {
        // A body may have used up the thread's token, or have left one: only the flag tells.
        while !bed.was_woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

/// Where a thread sleeps until its worker is woken.
struct Bed {
    thread: Thread,
    was_woken: AtomicBool,
}

impl Wake for Bed {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.was_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::mpsc::sync_channel;
    use std::task::Poll;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_thread_that_the_system_refuses_is_an_error_that_says_which() {
        let options = FixedWorkOptions { stack_size: Some(1 << 56), ..FixedWorkOptions::new() };
        let error = threads(&options, 3).unwrap_err();
        assert_eq!(error.to_string(), "thread 0 of 3 could not be started");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn a_body_that_takes_the_threads_token_takes_no_wake_up_with_it() {
        let (out, completion) = sync_channel(1);
        let driving = thread::spawn(move || {
            let mut polls = 0;
            drive(Box::pin(poll_fn(move |context| {
                polls += 1;
                match polls {
                    1 => {
                        context.waker().wake_by_ref();
                        thread::park();
                        Poll::Pending
                    }
                    // One that is left without a wake-up asks for no poll.
                    2 => {
                        thread::current().unpark();
                        let waker = context.waker().clone();
                        drop(thread::spawn(move || waker.wake()).join());
                        Poll::Pending
                    }
                    _ => Poll::Ready(()),
                }
            })));
            out.send(()).unwrap();
        });
        completion.recv_timeout(Duration::from_secs(20)).unwrap();
        driving.join().unwrap();
    }
}
