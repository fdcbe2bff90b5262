//! A call under way.

use super::InstrumentedStore;
#[cfg(feature = "metrics")]
use super::figures::Figures;
use crate::ending::Ending;

/// A call under way. It has ended when this is dropped, be it that nobody waited for it.
pub(super) struct Called<'a> {
    store: &'a InstrumentedStore,
    operation: &'static str,
    ending: Ending,
    #[cfg(feature = "metrics")]
    figures: Figures,
}

impl<'a> Called<'a> {
    pub(super) fn new(store: &'a InstrumentedStore, operation: &'static str) -> Self {
        Self {
            store,
            operation,
            ending: Ending::Dropped,
            #[cfg(feature = "metrics")]
            figures: Figures::start(),
        }
    }

    pub(super) fn ended(mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for Called<'_> {
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        self.figures.note(self.operation, self.ending);
        self.store.ended(self.operation, self.ending);
    }
}
