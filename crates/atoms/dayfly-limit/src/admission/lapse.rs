//! Those who were called and do not come.

use tokio::time::Instant;

use super::{Admission, State, WaiterId};

/// No more are asked in one round: two to this power.
const MOST_DOUBLINGS: u32 = 16;

impl<K> Admission<K> {
    /// When somebody who was called has had its time, if anybody waits for that.
    pub(crate) fn next_lapse(&self) -> Option<Instant> {
        let (called, _) = self.called.first().filter(|_| self.in_line > 0)?;
        called.checked_add(self.rules.claim_within)
    }

    /// Sets aside those who were called so long ago that they could have come. Others are not called yet.
    ///
    /// Thousands of futures that nobody polls may stand one behind the other. Therefore, each time in a row that nobody
    /// comes, twice as many of those behind are asked whether they are there: they are set aside as well, and woken;
    /// whoever is polled is back in its place before it is called.
    pub(crate) fn lapse(&mut self, now: Instant) {
        while let Some(&(called, id)) = self.called.first() {
            let has_lapsed = called.checked_add(self.rules.claim_within).is_some_and(|lapse| lapse <= now);
            if !has_lapsed {
                return;
            }
            self.called.remove(&(called, id));
            self.waiters[id].state = State::Aside;
            self.withdraw(id);
            self.ask_behind(id);
        }
    }

    fn ask_behind(&mut self, id: WaiterId) {
        let asleep: Vec<WaiterId> = match *self.waiters[id].keys.as_slice() {
            [] => {
                let count = asked(&mut self.lapses);
                self.ready.values().take(count).copied().collect()
            }
            [key, ..] => {
                let slot = self.keys.slot_mut(key);
                let count = asked(&mut slot.lapses);
                slot.line.values().take(count).copied().collect()
            }
        };
        for behind in asleep {
            self.step_out(behind);
            self.waiters[behind].state = State::Aside;
            self.woken.push(behind);
        }
    }
}

/// 0 the first time in a row, then 1, 3, 7.
fn asked(lapses: &mut u32) -> usize {
    let count = (1_usize << *lapses) - 1;
    *lapses = (*lapses + 1).min(MOST_DOUBLINGS);
    count
}
