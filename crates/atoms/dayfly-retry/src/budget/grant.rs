//! A retry that was taken out of a budget and is not made yet.

use super::{Purse, RetryBudget};

/// Goes back into the budget when it is dropped before it is spent.
#[derive(Debug)]
pub(crate) struct Grant {
    from: Option<(RetryBudget, Purse)>,
}

impl Grant {
    /// One retry of this budget, if it has one; where there is no budget, there always is.
    pub(crate) fn ask(budget: Option<&RetryBudget>) -> Option<Self> {
        let Some(budget) = budget else { return Some(Self { from: None }) };
        budget.take().map(|purse| Self { from: Some((budget.clone(), purse)) })
    }

    /// The retry takes place.
    pub(crate) fn spend(mut self) {
        self.from = None;
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if let Some((budget, purse)) = self.from.take() {
            budget.put_back(purse);
        }
    }
}
