//! In the place of figures where the feature `metrics` is off: of no size, and nothing to do.

use std::marker::PhantomData;

use crate::GaveUp;

#[derive(Clone, Debug)]
pub(super) struct Figures;

#[must_use = "it is used as the one that counts"]
pub(super) struct UnderWay<'a>(PhantomData<&'a Figures>);

impl Figures {
    pub(super) const fn nameless() -> Self {
        Self
    }

    pub(super) const fn named(_: &str) -> Self {
        Self
    }

    #[inline]
    #[expect(clippy::unused_self, reason = "its form is that of the one that counts")]
    pub(super) const fn under_way(&self) -> UnderWay<'_> {
        UnderWay(PhantomData)
    }
}

#[expect(clippy::unused_self, reason = "its form is that of the one that counts")]
impl UnderWay<'_> {
    #[inline]
    pub(super) const fn succeeded(self) {}

    #[inline]
    pub(super) const fn settled<T>(self, _: &Result<T, GaveUp>) {}
}
