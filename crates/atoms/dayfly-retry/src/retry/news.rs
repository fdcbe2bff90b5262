//! The signals of a retrier.

use dayfly::{Draft, Operation, SignalHandle, SignalSink};

use crate::GaveUp;

const ATTEMPT: &str = "retry.attempt";
const EXHAUSTED: &str = "retry.exhausted";

/// The two names of one retrier, looked up once: however often it raises them, they are no more than two.
#[derive(Clone, Debug)]
pub(super) struct News {
    attempt: SignalHandle,
    exhausted: SignalHandle,
}

impl News {
    pub(super) fn new(name: &str, signals: &SignalSink) -> Self {
        let handle = |what: &str| signals.handle(Draft::named(&format!("{what}.{name}")));
        Self { attempt: handle(ATTEMPT), exhausted: handle(EXHAUSTED) }
    }

    /// Tells of an attempt to come, or of a failure that would have been worth one.
    pub(super) fn tell(news: Option<&Self>, op: Option<&Operation>, decided: Result<u32, GaveUp>) {
        if news.is_none() && op.is_none() {
            return;
        }
        match decided {
            Ok(attempt) => {
                let handle = news.map(|news| &news.attempt);
                raise(handle, ATTEMPT, &attempt.to_string(), op);
            }
            Err(why) => {
                let Some(what) = used_up(why) else { return };
                raise(news.map(|news| &news.exhausted), EXHAUSTED, what, op);
            }
        }
    }
}

/// In the operation's name, if there is one.
fn raise(handle: Option<&SignalHandle>, name: &str, payload: &str, op: Option<&Operation>) {
    let draft = handle.map_or_else(|| Draft::named(name), Draft::from).payload(payload);
    match (op, handle) {
        (Some(op), _) => {
            op.raise(draft);
        }
        (None, Some(handle)) => {
            handle.raise_with(payload);
        }
        (None, None) => {}
    }
}

const fn used_up(why: GaveUp) -> Option<&'static str> {
    match why {
        GaveUp::AttemptsExhausted => Some("attempts"),
        GaveUp::DeadlineExceeded => Some("time"),
        GaveUp::BudgetExhausted => Some("budget"),
        GaveUp::NotRetryable | GaveUp::Cancelled => None,
    }
}
