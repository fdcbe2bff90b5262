//! What the clones of a limit share: the control under its lock, and who tells the outside of another limit.
//!
//! A limit is decided under the lock and told without it, one after the other, by whoever comes first. So the limit that
//! is told last is the one in force, and what is told may use the limit as it likes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dayfly::contain::contain;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::control::{Control, Figures, Step, Tag};
use crate::options::AdaptiveLimitOptions;
use crate::sample::Judgement;
use crate::set_limit::SetLimit;

pub(crate) struct Shared {
    desk: Mutex<Desk>,
    limit: watch::Sender<usize>,
}

struct Desk {
    control: Control,
    told: Option<Arc<dyn SetLimit>>,
    /// What was told last; nothing where nobody was told yet.
    last: Option<usize>,
    is_telling: bool,
    panics: u64,
}

impl Shared {
    pub(crate) fn new(options: AdaptiveLimitOptions, target: Option<Arc<dyn SetLimit>>) -> Self {
        let control = Control::new(options, Instant::now());
        let limit = watch::channel(control.limit()).0;
        let desk = Desk { control, told: target, last: None, is_telling: false, panics: 0 };
        let shared = Self { desk: Mutex::new(desk), limit };
        shared.tell(shared.lock());
        shared
    }

    pub(crate) fn begin(&self) -> Tag {
        let now = Instant::now();
        self.lock().control.begin(now)
    }

    pub(crate) fn end(&self, tag: Tag, judgement: Judgement) {
        let now = Instant::now();
        self.change(|control| control.end(tag, judgement, now));
    }

    pub(crate) fn step(&self, step: Step) {
        self.change(|control| control.step(step));
    }

    pub(crate) fn follow(&self, options: AdaptiveLimitOptions) {
        self.change(|control| control.follow(options));
    }

    pub(crate) fn bind(&self, target: Arc<dyn SetLimit>) {
        let mut desk = self.lock();
        let before = desk.told.replace(target);
        desk.last = None;
        self.tell(desk);
        // Foreign code, and so without the lock; its panic goes to whoever bound another.
        drop(before);
    }

    pub(crate) fn figures(&self) -> (Figures, u64) {
        let desk = self.lock();
        (desk.control.figures(), desk.panics)
    }

    pub(crate) fn options(&self) -> AdaptiveLimitOptions {
        self.lock().control.options().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<usize> {
        self.limit.subscribe()
    }

    fn change(&self, change: impl FnOnce(&mut Control)) {
        let mut desk = self.lock();
        change(&mut desk.control);
        if desk.last != Some(desk.control.limit()) {
            self.tell(desk);
        }
    }

    /// Tells of the limit until the one in force was told last. Where somebody is telling already, they will.
    fn tell<'a>(&'a self, mut desk: MutexGuard<'a, Desk>) {
        if desk.is_telling {
            return;
        }
        desk.is_telling = true;
        while desk.last != Some(desk.control.limit()) {
            let limit = desk.control.limit();
            desk.last = Some(limit);
            let told = desk.told.clone();
            drop(desk);
            // All of it is foreign: what is told, its drop if it was replaced meanwhile, and the wakers of those who watch.
            let is_told = contain(|| {
                if let Some(told) = told {
                    told.set_limit(limit);
                }
            });
            let is_shown = contain(|| {
                self.limit.send_if_modified(|shown| std::mem::replace(shown, limit) != limit);
            });
            desk = self.lock();
            desk.panics += u64::from(is_told.is_none()) + u64::from(is_shown.is_none());
        }
        desk.is_telling = false;
    }

    /// Nothing that panics runs under this lock, so a poisoned one still guards a sound desk.
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
