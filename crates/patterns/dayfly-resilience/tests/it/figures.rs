//! What a pipeline tells of itself: the breaker's figures and the retry's, each call and each attempt once.

use std::future::ready;

use dayfly_resilience::Pipeline;
use dayfly_retry::Verdict;
use dayfly_signal::SignalSink;
use dayfly_testing::{Figures, paused};

use crate::support::{BREAKER, PLAIN};

fn calls(figures: &Figures, name: &str) -> [u64; 3] {
    ["succeeded", "failed", "ignored"].map(|outcome| {
        figures.count(&format!("dayfly.circuit_breaker.calls{{breaker={name},outcome={outcome}}}"))
    })
}

fn attempts(figures: &Figures, name: &str) -> [u64; 4] {
    ["succeeded", "retried", "not_retryable", "attempts_exhausted"]
        .map(|outcome| figures.count(&format!("dayfly.retry.attempts{{retry={name},outcome={outcome}}}")))
}

#[test]
fn each_attempt_of_a_pipeline_is_one_of_its_retry_and_a_call_of_its_breaker() {
    let figures = Figures::new();
    figures.of(|| {
        paused(async {
            let options = PLAIN.attempts(3).breaker(BREAKER.failure_threshold(100));
            let judge = |error: &&str| if *error == "no" { Verdict::Stop } else { Verdict::Retry };
            let bank = Pipeline::classified("pipe", options, &SignalSink::default(), judge);
            bank.call(|_| ready(Ok::<_, &str>(()))).await.unwrap();
            bank.call(|number| ready(if number == 1 { Err("down") } else { Ok(()) })).await.unwrap();
            bank.call(|_| ready(Err::<(), _>("down"))).await.unwrap_err();
            bank.call(|_| ready(Err::<(), _>("no"))).await.unwrap_err();
        });
    });
    assert_eq!(calls(&figures, "pipe"), [2, 4, 1]);
    assert_eq!(attempts(&figures, "pipe"), [2, 3, 1, 1]);
}

#[test]
fn a_policy_that_is_switched_off_counts_nothing() {
    let figures = Figures::new();
    figures.of(|| {
        paused(async {
            let options = PLAIN.without_retry().without_breaker();
            let bank = Pipeline::new("plain-pipe", options, &SignalSink::default());
            bank.call(|_| ready(Ok::<_, &str>(()))).await.unwrap();
            bank.call(|_| ready(Err::<(), _>("down"))).await.unwrap_err();
        });
    });
    assert_eq!((calls(&figures, "plain-pipe"), attempts(&figures, "plain-pipe")), ([0; 3], [0; 4]));
}
