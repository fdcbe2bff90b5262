//! However much goes wrong, everything holds in the end.

use crate::support::{Repo, demo, options};
use dayfly_relay::demo::{DemoOptions, ReceiverReport};
use tokio::task::JoinSet;

#[tokio::test]
async fn ten_seeds_of_chaos() {
    let repo = Repo::busy();
    let mut runs = JoinSet::new();
    for seed in 0..10 {
        let options = DemoOptions { chaos: 0.5, seed, ..options(repo.path()) };
        runs.spawn(async move { demo(&options).await });
    }
    let reports = runs.join_all().await;
    assert_eq!(reports.len(), 10);
    for report in reports {
        let sum = |figure: fn(&ReceiverReport) -> u64| report.receivers.iter().map(figure).sum::<u64>();
        assert!(report.ok, "{report}");
        assert!(sum(|receiver| receiver.retries) > 0, "{report}");
        assert!(sum(|receiver| receiver.duplicates_suppressed) > 0, "{report}");
    }
}

#[tokio::test]
async fn the_outage_opens_the_circuit_of_that_endpoint_only() {
    let repo = Repo::busy();
    let report = demo(&options(repo.path())).await;
    let [healthy, _, down] = &report.receivers[..] else { panic!("three receivers are expected") };
    assert_eq!((healthy.circuit_openings, healthy.retries), (0, 0));
    assert!(down.circuit_openings > 0 && down.retries >= 16, "{report}");
}

#[tokio::test]
async fn one_delivery_at_a_time_is_enough() {
    let repo = Repo::busy();
    let report = demo(&DemoOptions { concurrency: 1, ..options(repo.path()) }).await;
    assert!(report.ok, "{report}");
}
