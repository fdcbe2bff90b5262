//! The timer that belongs to no task.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use dayfly::alarm::{Alarm, Ring};
use dayfly_testing::settle;
use tokio::runtime::{Builder, Handle};
use tokio::time::{Instant, advance};

/// When it rang, and whether it was time.
struct Bell {
    began: Instant,
    rang: Mutex<Vec<(Duration, bool)>>,
}

impl Bell {
    fn with_alarm() -> (Arc<Self>, Arc<Alarm>) {
        let bell = Arc::new(Self { began: Instant::now(), rang: Mutex::default() });
        let owner: Weak<dyn Ring> = Arc::<Self>::downgrade(&bell);
        (bell, Alarm::new(owner))
    }

    fn rang(&self) -> Vec<(Duration, bool)> {
        self.rang.lock().unwrap().clone()
    }
}

impl Ring for Bell {
    fn ring(&self, is_time: bool) {
        self.rang.lock().unwrap().push((self.began.elapsed(), is_time));
    }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn it_rings_once_when_it_is_time() {
    let (bell, alarm) = Bell::with_alarm();
    assert!(alarm.set(&Handle::current(), bell.began + secs(5)));
    advance(secs(4)).await;
    settle().await;
    assert_eq!(bell.rang(), []);
    advance(secs(1)).await;
    settle().await;
    advance(secs(60)).await;
    settle().await;
    let [(after, true)] = bell.rang()[..] else { panic!("{:?}", bell.rang()) };
    assert!(after >= secs(5) && after < secs(6), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn what_has_passed_rings_at_once() {
    let (bell, alarm) = Bell::with_alarm();
    advance(secs(1)).await;
    assert!(alarm.set(&Handle::current(), bell.began));
    assert_eq!(bell.rang(), [(secs(1), true)]);
}

#[tokio::test(start_paused = true)]
async fn the_last_setting_counts_and_a_stopped_alarm_is_silent() {
    let (bell, alarm) = Bell::with_alarm();
    assert!(alarm.set(&Handle::current(), bell.began + secs(5)));
    assert!(alarm.set(&Handle::current(), bell.began + secs(20)));
    advance(secs(10)).await;
    settle().await;
    assert_eq!(bell.rang(), [], "it was set to later");
    alarm.stop();
    advance(secs(60)).await;
    settle().await;
    assert_eq!(bell.rang(), []);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_whose_owner_is_gone() {
    let (bell, alarm) = Bell::with_alarm();
    assert!(alarm.set(&Handle::current(), bell.began + secs(5)));
    let rang = Arc::downgrade(&bell);
    drop(bell);
    advance(secs(6)).await;
    settle().await;
    assert!(rang.upgrade().is_none());
    assert_eq!(format!("{alarm:?}"), "Alarm");
}

#[test]
fn a_runtime_without_a_timer_is_refused_and_one_that_shuts_down_rings_early() {
    let untimed = Builder::new_current_thread().build().unwrap();
    let (bell, alarm) = Bell::with_alarm();
    assert!(!alarm.set(untimed.handle(), bell.began + secs(3_600)));

    let timed = Builder::new_current_thread().enable_time().build().unwrap();
    assert!(alarm.set(timed.handle(), bell.began + secs(3_600)));
    drop(timed);
    let [(_, false)] = bell.rang()[..] else { panic!("{:?}", bell.rang()) };
}
