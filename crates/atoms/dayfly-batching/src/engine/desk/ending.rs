//! How the desk ends, follows new options and sees the time pass.

use tokio::time::Instant;

use super::{Cancelled, Desk, Next, Todo};
use crate::replies::Reply;
use crate::{BatcherOptions, FlushReason};

impl<T, K: Eq, V, E> Desk<T, K, V, E> {
    pub(in crate::engine) fn close(&mut self, todo: &mut Todo<T, K>) {
        self.room.close(&mut todo.wakers);
        self.state.shut_all(FlushReason::Close);
        self.dispatch(todo);
        self.look_for_the_end(todo);
    }

    pub(in crate::engine) fn flush(&mut self, todo: &mut Todo<T, K>) -> u64 {
        let mark = self.state.flush();
        self.dispatch(todo);
        mark
    }

    pub(in crate::engine) fn has_reached(&self, mark: u64) -> bool {
        self.state.has_reached(mark)
    }

    pub(in crate::engine) fn cancel(&mut self, now: Instant, todo: &mut Todo<T, K>) {
        if self.cancelled.is_none() {
            self.cancelled = Some(Cancelled { kill_at: now.checked_add(self.grace) });
            todo.tells_keeper = true;
        }
        self.close(todo);
        for token in self.state.dismiss() {
            let mut reply = Some(Reply::Cancelled);
            todo.wakers.extend(self.replies.answer(token, &mut reply));
        }
    }

    /// Nobody is left who could run anything. What no handler has is cancelled and goes.
    pub(in crate::engine) fn abandon(&mut self, todo: &mut Todo<T, K>) {
        self.is_abandoned = true;
        self.cancel(Instant::now(), todo);
        let (items, keys) = self.state.abandon();
        let count = items.len();
        self.figures.cancelled += count as u64;
        self.room.leave(count, &mut todo.wakers);
        todo.dropped.extend(items);
        for key in keys {
            todo.drop_key(Some(key));
        }
        todo.has_progressed = true;
        self.look_for_the_end(todo);
    }

    pub(in crate::engine) fn follow(&mut self, options: &BatcherOptions, todo: &mut Todo<T, K>) {
        self.state.set_limits(options);
        self.room.set_capacity(options.capacity(), &mut todo.wakers);
        self.grace = options.cancel_grace;
        todo.tells_keeper = true;
        self.dispatch(todo);
    }

    /// What the time brings.
    pub(in crate::engine) fn tick(&mut self, now: Instant, todo: &mut Todo<T, K>) -> Next {
        if self.is_over {
            return Next::Over;
        }
        let due = self.state.tick(now);
        self.dispatch(todo);
        let kill_at = self.cancelled.and_then(|cancelled| cancelled.kill_at);
        if kill_at.is_some_and(|kill_at| kill_at <= now) {
            self.cancelled = Some(Cancelled { kill_at: None });
            return Next::Kill;
        }
        self.keeper_comes = [due, kill_at].into_iter().flatten().min();
        Next::Wait(self.keeper_comes)
    }

    pub(super) fn look_for_the_end(&mut self, todo: &mut Todo<T, K>) {
        if !self.is_over && self.room.is_closed() && self.state.is_empty() {
            self.is_over = true;
            todo.ended = Some(self.stats().into());
            todo.tells_keeper = true;
            self.called += self.idle.len();
            todo.wakers.extend(self.idle.drain(..).map(|(_, waker)| waker));
        }
    }
}
