//! Following for as long as a guard lives.

use std::fmt;
use std::sync::Arc;

use crate::error::{BindError, Refusal};
use crate::follower::{Asked, Bound, OfSection, Projection, Target};
use crate::shared::Shared;

/// Lets its target follow as long as it lives. It keeps the sources watched meanwhile.
///
/// A change that is under way when it is dropped may still reach the target.
#[must_use = "the target follows until the binding is dropped"]
pub struct Binding {
    bound: Arc<dyn Dismiss>,
    id: u64,
}

trait Dismiss: Send + Sync {
    fn dismiss(&self, id: u64);
}

impl<T: Send + Sync> Dismiss for Shared<T> {
    fn dismiss(&self, id: u64) {
        Self::dismiss(self, id);
    }
}

impl Drop for Binding {
    fn drop(&mut self) {
        self.bound.dismiss(self.id);
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").finish_non_exhaustive()
    }
}

/// Tells `target` the value in force and takes it in. When another one is in force by then, it is told that one too.
pub(crate) fn bind<T, O, R>(
    shared: &Arc<Shared<T>>,
    key: Arc<str>,
    project: Projection<T, O>,
    is_equal: fn(&O, &O) -> bool,
    target: R,
) -> Result<Binding, (R, Refusal)>
where
    T: Send + Sync + 'static,
    O: 'static,
    R: Target<O>,
{
    loop {
        let held = shared.slot.load_full();
        let value = project(&held.value);
        if let Err(refusal) = target.prepare(value).and_then(|()| target.commit(value)) {
            return Err((target, shared.shown(refusal)));
        }
        if let Some(place) = shared.place_for_follower(held.generation) {
            let id = place.take(Arc::new(OfSection { key, project, is_equal, target }));
            let bound: Arc<dyn Dismiss> = Arc::<Shared<T>>::clone(shared);
            return Ok(Binding { bound, id });
        }
    }
}

impl<R> BindError<R> {
    pub(crate) fn unbound((Bound(target), refusal): (Bound<R>, Refusal)) -> Self {
        Self { target, refusal }
    }

    pub(crate) fn unasked((Asked(target), refusal): (Asked<R>, Refusal)) -> Self {
        Self { target, refusal }
    }
}
