//! Who follows a configuration: asked first, told second.

use std::sync::Arc;

use dayfly::Reconfigure;

use crate::contain::contain;
use crate::error::Refusal;
use crate::problem::Problem;

/// Follows a section of a configuration, or the whole.
///
/// A change is prepared by everybody whom it concerns and committed only when nobody refuses. What implements
/// [`Reconfigure`] needs no `Reload`: see [`Section::bind`](crate::Section::bind).
///
/// Both are called on a thread for blocking work, one change at a time and in order. A panic in `prepare` is a refusal; one
/// in `commit` undoes the change: everybody who was told already is told the old value again.
pub trait Reload<O>: Send + Sync + 'static {
    /// Whether this could be followed now. Changes nothing that others see.
    ///
    /// # Errors
    /// When it cannot be followed; then nobody follows it.
    fn prepare(&self, next: &O) -> Result<(), Refusal>;

    /// Follows it from now on.
    fn commit(&self, next: &O);
}

/// What a section is to who owns it: how to find it in the whole.
pub(crate) type Projection<T, O> = Arc<dyn Fn(&T) -> &O + Send + Sync>;

/// Someone who follows a section, as the whole sees him.
pub(crate) trait Follower<T>: Send + Sync {
    /// The section's key; empty for the whole.
    fn key(&self) -> &str;
    fn concerns(&self, old: &T, new: &T) -> bool;
    fn prepare(&self, next: &T) -> Result<(), Refusal>;
    fn commit(&self, next: &T) -> Result<(), Refusal>;
}

/// One who is asked and told.
pub(crate) trait Target<O>: Send + Sync + 'static {
    fn prepare(&self, next: &O) -> Result<(), Refusal>;
    fn commit(&self, next: &O) -> Result<(), Refusal>;
}

pub(crate) struct Asked<R>(pub(crate) R);

impl<O, R: Reload<O>> Target<O> for Asked<R> {
    fn prepare(&self, next: &O) -> Result<(), Refusal> {
        self.0.prepare(next)
    }

    fn commit(&self, next: &O) -> Result<(), Refusal> {
        self.0.commit(next);
        Ok(())
    }
}

pub(crate) struct Bound<R>(pub(crate) R);

impl<O, R: Reconfigure<O> + 'static> Target<O> for Bound<R> {
    fn prepare(&self, next: &O) -> Result<(), Refusal> {
        Ok(self.0.check(next)?)
    }

    fn commit(&self, next: &O) -> Result<(), Refusal> {
        Ok(self.0.reconfigure(next)?)
    }
}

/// Follows a part of the whole, and is left alone while the part stays equal.
pub(crate) struct OfSection<T, O, R> {
    pub(crate) key: Arc<str>,
    pub(crate) project: Projection<T, O>,
    pub(crate) is_equal: fn(&O, &O) -> bool,
    pub(crate) target: R,
}

impl<T, O: 'static, R: Target<O>> Follower<T> for OfSection<T, O, R> {
    fn key(&self) -> &str {
        &self.key
    }

    fn concerns(&self, old: &T, new: &T) -> bool {
        !(self.is_equal)((self.project)(old), (self.project)(new))
    }

    fn prepare(&self, next: &T) -> Result<(), Refusal> {
        self.target.prepare((self.project)(next))
    }

    fn commit(&self, next: &T) -> Result<(), Refusal> {
        self.target.commit((self.project)(next))
    }
}

/// Those whom a change concerned and who follow it now.
pub(crate) type Told<T> = Vec<Arc<dyn Follower<T>>>;

/// One after the other is asked, then one after the other is told. On a refusal nobody has changed.
///
/// # Errors
/// The refusals: all of those who were asked, or the one of who failed when he was told.
pub(crate) fn change<T>(followers: Told<T>, old: &T, new: &T) -> Result<Told<T>, Vec<Problem>> {
    let refusal = |follower: &Arc<dyn Follower<T>>, why: String| Problem::new(why).at(follower.key());
    let (mut concerned, mut refused) = (Vec::new(), Vec::new());
    for follower in followers {
        let asked = contain(|| {
            let is_concerned = follower.concerns(old, new);
            if is_concerned { follower.prepare(new).map(|()| true) } else { Ok(false) }
        });
        match asked {
            Ok(Ok(true)) => concerned.push(follower),
            Ok(Ok(false)) => {}
            Ok(Err(why)) => refused.push(refusal(&follower, why.reason)),
            Err(panic) => refused.push(refusal(&follower, format!("who follows it {panic}"))),
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    for (told, follower) in concerned.iter().enumerate() {
        let why = match contain(|| follower.commit(new)) {
            Ok(Ok(())) => continue,
            Ok(Err(why)) => why.reason,
            Err(panic) => format!("who follows it {panic}"),
        };
        undo(&concerned[..=told], old);
        return Err(vec![refusal(follower, why)]);
    }
    Ok(concerned)
}

/// Tells the old value again, the last one first, him who failed included: nobody knows how far he got.
pub(crate) fn undo<T>(told: &[Arc<dyn Follower<T>>], old: &T) {
    for follower in told.iter().rev() {
        drop(contain(|| follower.commit(old)));
    }
}
