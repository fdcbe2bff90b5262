//! A place in a worker where one body after the other is stored and polled, without an allocation for any of them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use dayfly_signal::SignalSink;
use tokio::time::Instant;

use super::attempt_end::AttemptEnd;
use super::seats::Claimed;
use crate::contain::{contain, dispose, drop_one};
use crate::pass::{Badge, Pass, Shared};
use crate::{Operation, desk};

pub(super) struct Slot<Fut, K> {
    body: Pin<Box<Option<Fut>>>,
    waker: Waker,
    shared: Arc<Shared>,
    /// What the next operation gets, if the last one has given it back.
    pass: Option<Box<Pass<K>>>,
    generation: u64,
}

impl<Fut, K: Send + Sync + 'static> Slot<Fut, K> {
    pub(super) fn new(waker: Waker, shared: Arc<Shared>) -> Self {
        shared.belongs_to(&waker);
        Self { body: Box::pin(None), waker, shared, pass: None, generation: 0 }
    }

    /// Uses this from now on; what was used before is in somebody else's hands for good.
    pub(super) fn adopt(&mut self, shared: Arc<Shared>) {
        shared.belongs_to(&self.waker);
        self.shared = shared;
        self.pass = None;
    }

    /// Whether somebody wants this operation, which has not started, to end.
    pub(super) fn is_killed(&self, generation: u64) -> bool {
        self.shared.is_killed(generation)
    }

    /// Makes the body and polls it for the first time.
    pub(super) fn start<T, A>(
        &mut self,
        claimed: Claimed<T, K>,
        (make, key_text): (&impl Fn(T, Operation) -> Fut, fn(&K) -> Option<String>),
        signals: &SignalSink,
    ) -> Poll<AttemptEnd<T, A>>
    where
        Fut: Future<Output = AttemptEnd<T, A>>,
    {
        let Claimed { id, key, attempt, generation, item, .. } = claimed;
        self.generation = generation;
        let pass = if let Some(mut pass) = self.pass.take() {
            pass.badge.source.renew(id);
            pass.badge.attempt = attempt;
            pass.badge.generation = generation;
            drop_one(std::mem::replace(&mut pass.key, key));
            pass
        } else {
            let shared = Arc::clone(&self.shared);
            let badge = Badge { attempt, generation, source: signals.source(id), shared };
            Box::new(Pass { badge, key, key_text })
        };
        let operation = Operation::new(pass);
        self.run(|| Some(make(item, operation)))
    }

    /// Polls the body, if there is one.
    pub(super) fn poll<T, A>(&mut self) -> Option<Poll<AttemptEnd<T, A>>>
    where
        Fut: Future<Output = AttemptEnd<T, A>>,
    {
        self.body.is_some().then(|| self.run(|| None))
    }

    /// To be called while the desk is open. Everything foreign stands in here: making the body, polling it, and the
    /// drop of what it owns.
    fn run<T, A>(&mut self, make: impl FnOnce() -> Option<Fut>) -> Poll<AttemptEnd<T, A>>
    where
        Fut: Future<Output = AttemptEnd<T, A>>,
    {
        let (body, waker) = (&mut self.body, &self.waker);
        let contained = AssertUnwindSafe(|| {
            if let Some(made) = make() {
                body.set(Some(made));
            }
            let Some(running) = body.as_mut().as_pin_mut() else { return Poll::Pending };
            let polled = running.poll(&mut Context::from_waker(waker));
            if polled.is_ready() {
                body.set(None);
            }
            polled
        });
        match catch_unwind(contained) {
            Ok(Poll::Ready(end)) => {
                self.leave();
                Poll::Ready(end)
            }
            // The body has seen its cancellation once more and still wants to wait.
            Ok(Poll::Pending) if self.shared.is_killed(self.generation) => {
                self.clear();
                Poll::Ready(AttemptEnd::cancelled())
            }
            Ok(Poll::Pending) => {
                self.take_back();
                Poll::Pending
            }
            Err(panic) => {
                self.clear();
                let end = AttemptEnd::panicked(&*panic);
                dispose(panic);
                Poll::Ready(end)
            }
        }
    }

    /// Drops the body, whatever it was doing.
    pub(super) fn clear(&mut self) {
        // One that panics on its way out was to be dropped, and is.
        let body = &mut self.body;
        desk::open(Instant::now(), || contain(|| body.set(None)));
        self.leave();
    }

    /// The body is gone; gets ready for the next one.
    fn leave(&mut self) {
        self.shared.finish(self.generation);
        self.take_back();
        if self.pass.is_none() {
            // The operation lives on, and its owner keeps all of it.
            self.shared.spoil();
        }
    }

    /// Takes the pass back, if the body has dropped its operation.
    fn take_back(&mut self) {
        let Some(pass) = desk::take() else { return };
        let pass: Box<dyn Any> = pass;
        match pass.downcast::<Pass<K>>() {
            Ok(pass) if self.is_own(&pass) => self.pass = Some(pass),
            // Another one's. Its key is foreign when it is dropped.
            Ok(pass) => drop_one(pass),
            Err(pass) => drop_one(pass),
        }
    }

    fn is_own(&self, pass: &Pass<K>) -> bool {
        pass.badge.generation == self.generation && Arc::ptr_eq(&pass.badge.shared, &self.shared)
    }
}
