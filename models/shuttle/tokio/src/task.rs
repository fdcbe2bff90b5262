//! Tasks, which are shuttle's.

pub use shuttle_tokio::task::{AbortHandle, JoinHandle, spawn, yield_now};

/// The budget that a task has before it should let others run.
pub mod coop {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// Schedules are shuttle's choice, so no budget ends here.
    pub const fn has_budget_remaining() -> bool {
        true
    }

    /// Nor is any used up.
    pub fn consume_budget() -> std::future::Ready<()> {
        std::future::ready(())
    }

    /// A future without a budget, which is what all of them are.
    #[derive(Debug)]
    pub struct Unconstrained<F>(F);

    /// Takes the budget away that there is none of.
    pub const fn unconstrained<F>(future: F) -> Unconstrained<F> {
        Unconstrained(future)
    }

    impl<F: Future + Unpin> Future for Unconstrained<F> {
        type Output = F::Output;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
            Pin::new(&mut self.0).poll(context)
        }
    }
}
