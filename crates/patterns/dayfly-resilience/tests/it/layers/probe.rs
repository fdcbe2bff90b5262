//! A service that insists on being made ready before each call, as the contract of tower has it: a clone is not.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::time::{Duration, timeout};
use tower_service::Service;

/// What one call does: so long, and then that.
pub(crate) type Step = (Duration, Result<u32, &'static str>);

#[derive(Debug)]
pub(crate) struct Probe {
    shared: Arc<Mutex<Shared>>,
    is_ready: bool,
}

#[derive(Debug, Default)]
struct Shared {
    script: VecDeque<Step>,
    is_busy: bool,
    is_broken: bool,
    wakers: Vec<Waker>,
    readied: u32,
    calls: u32,
    running: usize,
    peak: usize,
}

impl Probe {
    /// Calls follow the script, and then succeed at once with their number.
    pub(crate) fn new(script: impl IntoIterator<Item = Step>) -> Self {
        let shared = Shared { script: script.into_iter().collect(), ..Shared::default() };
        Self { shared: Arc::new(Mutex::new(shared)), is_ready: false }
    }

    /// Calls fail at once, so many of them.
    pub(crate) fn failing(calls: usize) -> Self {
        Self::new(std::iter::repeat_n((Duration::ZERO, Err("down")), calls))
    }

    /// Calls take so long, each of them.
    pub(crate) fn slow(length: Duration) -> Self {
        Self::new(std::iter::repeat_n((length, Ok(0)), 100))
    }

    /// From now on nobody gets ready, or somebody does.
    pub(crate) fn set_busy(&self, is_busy: bool) {
        let wakers = {
            let mut shared = self.shared.lock().unwrap();
            shared.is_busy = is_busy;
            std::mem::take(&mut shared.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// From now on getting ready fails.
    pub(crate) fn break_down(&self) {
        self.shared.lock().unwrap().is_broken = true;
    }

    /// Another view on the same service.
    pub(crate) fn view(&self) -> Self {
        self.clone()
    }

    pub(crate) fn calls(&self) -> u32 {
        self.shared.lock().unwrap().calls
    }

    /// How often somebody asked whether it is ready.
    pub(crate) fn asked(&self) -> u32 {
        self.shared.lock().unwrap().readied
    }

    pub(crate) fn running(&self) -> usize {
        self.shared.lock().unwrap().running
    }

    pub(crate) fn peak(&self) -> usize {
        self.shared.lock().unwrap().peak
    }
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), is_ready: false }
    }
}

struct Running(Arc<Mutex<Shared>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().unwrap().running -= 1;
    }
}

impl Service<u32> for Probe {
    type Response = u32;
    type Error = &'static str;
    type Future = Pin<Box<dyn Future<Output = Result<u32, &'static str>> + Send + Sync>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        let mut shared = self.shared.lock().unwrap();
        shared.readied += 1;
        if shared.is_broken {
            return Poll::Ready(Err("broken"));
        }
        if shared.is_busy {
            shared.wakers.push(context.waker().clone());
            return Poll::Pending;
        }
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: u32) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "nobody made it ready");
        let mut shared = self.shared.lock().unwrap();
        shared.calls += 1;
        shared.running += 1;
        shared.peak = shared.peak.max(shared.running);
        let number = shared.calls;
        let (length, result) = shared.script.pop_front().unwrap_or((Duration::ZERO, Ok(number)));
        let running = Running(self.shared.clone());
        Box::pin(async move {
            let _running = running;
            if !length.is_zero() {
                // Time passes on the paused clock of whoever calls.
                let _ = timeout(length, pending::<()>()).await;
            }
            result
        })
    }
}

pub(crate) async fn ready<S: Service<u32>>(service: &mut S) -> Result<(), S::Error> {
    poll_fn(|context| service.poll_ready(context)).await
}

/// One request, as it should be made.
pub(crate) async fn send<S: Service<u32>>(service: &mut S) -> Result<S::Response, S::Error> {
    ready(service).await?;
    service.call(1).await
}
