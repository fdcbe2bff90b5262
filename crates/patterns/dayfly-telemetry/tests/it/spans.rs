//! Operations in spans of their own, linked to who asked for them.

use std::fmt;
use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, KeyedCoordinator, Operation, ResultCoordinator, SignalSink};
use dayfly_telemetry::{Traced, traced};
use dayfly_testing::settle;
use tracing::{info, info_span};

use crate::capture::{Capture, SeenSpan};

const TARGET: &str = "dayfly::operation";
const ENQUEUER: &str = "test::enqueuer";
const WORK: CoordinatorOptions = CoordinatorOptions::new();

/// An item that a span of its own asks for; the span is kept open by who keeps the second part.
fn asked_for<T>(item: T) -> (Traced<T>, tracing::Span) {
    let span = info_span!(target: ENQUEUER, "request");
    (span.in_scope(|| Traced::new(item)), span)
}

fn outcomes(spans: &[SeenSpan]) -> Vec<Option<&str>> {
    spans.iter().map(|span| span.fields.get("outcome")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_body_runs_in_a_root_span_that_follows_the_enqueuers() {
    let (capture, _guard) = Capture::start();
    let work = Coordinator::spawn(
        WORK,
        &SignalSink::default(),
        traced("charge", |_: u32, _| async {
            info!(target: "test", "before");
            tokio::task::yield_now().await;
            info!(target: "test", "after");
        }),
    );
    let (item, request) = asked_for(7);
    let id = work.enqueue(item).await.unwrap();
    work.drain().await;

    let (enqueuer, spans) = (capture.spans(ENQUEUER), capture.spans(TARGET));
    assert_eq!((enqueuer.len(), spans.len()), (1, 1));
    let span = &spans[0];
    assert_eq!((span.parent, &span.follows), (None, &vec![enqueuer[0].id]));
    assert_eq!(span.fields.get("otel.name"), Some("charge"));
    assert_eq!(span.fields.get("operation.id"), Some(&*id.to_string()));
    assert_eq!(span.fields.get("operation.attempt"), Some("1"));
    assert_eq!(span.fields.get("outcome"), Some("completed"));
    assert_eq!((span.fields.get("error"), span.fields.get("otel.status_code")), (None, None));
    assert!(span.is_closed);
    assert!(capture.events().iter().all(|event| event.span == Some(span.id)), "{:?}", capture.events());
    assert_eq!(capture.events().len(), 2);
    drop(request);
}

#[tokio::test(start_paused = true)]
async fn an_item_in_the_queue_does_not_keep_the_enqueuers_span_open() {
    let (capture, _guard) = Capture::start();
    let work = Coordinator::spawn(WORK, &SignalSink::default(), traced("step", |(), _| async {}));
    work.pause();
    let (item, request) = asked_for(());
    work.enqueue(item).await.unwrap();
    drop(request);
    assert!(capture.spans(ENQUEUER)[0].is_closed);
    work.resume();
    work.drain().await;
    assert_eq!(outcomes(&capture.spans(TARGET)), [Some("completed")]);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_a_span_and_all_are_linked() {
    let (capture, _guard) = Capture::start();
    let work = Coordinator::spawn(
        WORK,
        &SignalSink::default(),
        traced("step", |(), op: Operation| async move {
            if op.attempt() < 3 {
                op.again((), Duration::from_secs(1))
            } else {
                op.fail::<_, (), _>("third time")
            }
        }),
    );
    let (item, _request) = asked_for(());
    work.enqueue(item).await.unwrap();
    work.drain().await;
    let (enqueuer, spans) = (capture.spans(ENQUEUER), capture.spans(TARGET));
    assert_eq!(outcomes(&spans), [Some("again"), Some("again"), Some("failed")]);
    assert!(spans.iter().all(|span| span.follows == [enqueuer[0].id] && span.is_closed));
    assert_eq!(spans[2].fields.get("error"), Some("third time"));
    assert_eq!(spans[2].fields.get("otel.status_code"), Some("ERROR"));
    assert_eq!(work.failed()[0].error.as_deref(), Some("third time"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_a_cancellation_are_told_apart() {
    let (capture, _guard) = Capture::start();
    let options = WORK.cancel_grace(Duration::ZERO);
    let work = Coordinator::spawn(
        options,
        &SignalSink::default(),
        traced("step", |panics: bool, _| async move {
            assert!(!panics, "the body gives up");
            std::future::pending::<()>().await;
        }),
    );
    work.enqueue(Traced::new(true)).await.unwrap();
    work.enqueue(Traced::new(false)).await.unwrap();
    settle().await;
    let report = work.cancel().await;
    assert_eq!((report.panicked, report.cancelled), (1, 1));
    let spans = capture.spans(TARGET);
    assert_eq!(outcomes(&spans), [Some("panicked"), Some("cancelled")]);
    assert_eq!(spans[0].fields.get("otel.status_code"), Some("ERROR"));
    assert_eq!(spans[1].fields.get("otel.status_code"), None);
    assert!(spans.iter().all(|span| span.is_closed));
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_text_panics_costs_its_text_only() {
    struct Bad;

    impl fmt::Display for Bad {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("no text")
        }
    }

    let (capture, _guard) = Capture::start();
    let work = ResultCoordinator::spawn(
        WORK,
        &SignalSink::default(),
        traced("step", |(), _| async { Err::<(), _>(Bad) }),
    );
    drop(work.submit(Traced::new(())).await.unwrap());
    work.drain().await;
    let spans = capture.spans(TARGET);
    assert_eq!((outcomes(&spans), spans[0].fields.get("error")), (vec![Some("failed")], None));
}

#[tokio::test(start_paused = true)]
async fn keys_are_read_through_and_are_in_no_span() {
    let (capture, _guard) = Capture::start();
    let key = |customer: &Traced<String>| customer.to_string();
    let work =
        KeyedCoordinator::spawn(WORK, &SignalSink::default(), key, traced("step", |_: String, _| async {}));
    work.enqueue(Traced::new("Jane".to_owned())).await.unwrap();
    work.drain().await;
    assert!(!format!("{:?}", capture.spans(TARGET)).contains("Jane"));
}

#[tokio::test(start_paused = true)]
async fn without_a_subscriber_everything_works_the_same() {
    let work = ResultCoordinator::spawn(
        WORK,
        &SignalSink::default(),
        traced("double", |item: u32, _| async move { item.checked_mul(2).ok_or("too large") }),
    );
    assert_eq!(work.submit(Traced::new(4)).await.unwrap().await, Ok(8));
    assert!(work.submit(u32::MAX.into()).await.unwrap().await.is_err());
    work.drain().await;
    let refused = work.try_submit(Traced::new(5)).unwrap_err();
    assert_eq!(refused.into_item().into_inner(), 5, "a refused item comes back as what it was");
}

#[tokio::test(start_paused = true)]
async fn the_enqueuer_is_linked_only_while_its_span_is_the_current_one() {
    let (capture, _guard) = Capture::start();
    let work = Coordinator::spawn(WORK, &SignalSink::default(), traced("step", |(), _| async {}));
    work.enqueue(Traced::new(())).await.unwrap();
    work.drain().await;
    assert!(capture.spans(TARGET)[0].follows.is_empty());
}
