//! Ends of operations on their way from workers to the reporter: bounded, the oldest dropped, and never in a worker's way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::OperationEnd;

/// The ends that wait to be reported.
#[derive(Debug)]
pub(crate) struct Ends {
    waiting: Mutex<Waiting>,
    /// Tells the reporter that the next interval may be too late.
    pub(crate) is_filling: Notify,
}

#[derive(Debug)]
struct Waiting {
    ends: VecDeque<Ended>,
    capacity: usize,
    dropped: u64,
    /// Nobody takes them any more.
    is_over: bool,
}

/// One end, and where it was.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) coordinator: Arc<str>,
    pub(crate) end: OperationEnd,
}

impl Ends {
    pub(crate) fn new(capacity: usize) -> Self {
        let waiting = Waiting { ends: VecDeque::new(), capacity, dropped: 0, is_over: false };
        Self { waiting: Mutex::new(waiting), is_filling: Notify::new() }
    }

    pub(crate) fn push(&self, ended: Ended) {
        let mut waiting = self.lock();
        if waiting.is_over {
            return;
        }
        waiting.ends.push_back(ended);
        waiting.trim();
        let is_filling = waiting.ends.len() == waiting.capacity.div_ceil(2);
        drop(waiting);
        if is_filling {
            self.is_filling.notify_one();
        }
    }

    /// Takes everything that waits.
    pub(crate) fn take(&self) -> VecDeque<Ended> {
        std::mem::take(&mut self.lock().ends)
    }

    pub(crate) fn set_capacity(&self, capacity: usize) {
        let mut waiting = self.lock();
        waiting.capacity = capacity;
        waiting.trim();
    }

    /// Takes no more.
    pub(crate) fn end(&self) {
        self.lock().is_over = true;
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn trim(&mut self) {
        while self.ends.len() > self.capacity {
            self.ends.pop_front();
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn ended(number: usize) -> Ended {
        let coordinator = number.to_string().into();
        Ended { coordinator, end: OperationEnd::lasting(Duration::ZERO) }
    }

    proptest! {
        /// Against a model that is a list: what is kept is the newest, and what is not is counted.
        #[test]
        fn the_newest_are_kept_and_the_others_counted(
            steps in proptest::collection::vec((0..8_usize, 1..6_usize), 0..100),
        ) {
            let (ends, mut model, mut capacity, mut dropped, mut number) = (Ends::new(3), vec![], 3, 0, 0);
            for (step, argument) in steps {
                match step {
                    0 => {
                        let taken = ends.take();
                        let taken: Vec<String> = taken.iter().map(|end| end.coordinator.to_string()).collect();
                        prop_assert_eq!(taken, std::mem::take(&mut model));
                    }
                    1 => {
                        ends.set_capacity(argument);
                        capacity = argument;
                    }
                    _ => {
                        ends.push(ended(number));
                        model.push(number.to_string());
                        number += 1;
                    }
                }
                let excess = model.len().saturating_sub(capacity);
                dropped += model.drain(..excess).count() as u64;
                prop_assert_eq!(ends.dropped(), dropped);
            }
            ends.end();
            ends.push(ended(number));
            prop_assert_eq!(ends.take().len(), model.len());
        }
    }
}
