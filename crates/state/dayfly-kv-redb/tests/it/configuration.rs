//! The options, as setters and as configuration.

use std::time::Duration;

use dayfly_kv::{Capability, Store};
use dayfly_kv_redb::RedbOptions;

use crate::disk::Disk;
use crate::support::orders;

#[tokio::test]
async fn what_syncs_later_does_not_say_that_it_is_durable() {
    for (options, is_durable) in [
        (RedbOptions::new(), true),
        (RedbOptions::new().sync_within(Duration::MAX), false),
        (RedbOptions::new().sync_within(Duration::MAX).without_sync_within(), true),
    ] {
        let store = Disk::default().open(&options).await.unwrap().store(&orders()).await.unwrap();
        assert_eq!(store.capabilities().has(Capability::Durability), is_durable, "{options:?}");
        assert!(!store.capabilities().has(Capability::AcrossProcesses));
        store
            .put(&crate::support::key("a"), crate::support::bytes("1"), dayfly_kv::PutOptions::new())
            .await
            .unwrap();
    }
}

#[test]
fn a_value_that_breaks_its_rule_is_refused_by_setters() {
    for set in [
        (|| RedbOptions::new().queue_capacity(0)) as fn() -> RedbOptions,
        || RedbOptions::new().queue_capacity(usize::MAX),
        || RedbOptions::new().max_value_bytes(usize::MAX),
        || RedbOptions::new().sync_within(Duration::ZERO),
        || RedbOptions::new().watch_history(0),
    ] {
        assert!(std::panic::catch_unwind(set).is_err());
    }
}

#[cfg(feature = "serde")]
#[test]
fn configuration_says_the_same_as_setters_and_is_refused_by_the_same_rules() {
    let text = "max_value_bytes = 10\nqueue_capacity = 7\nsync_within = \"1s 500ms\"\nwatch_history = 3\ncache_bytes = 0\n";
    let options = RedbOptions::new().max_value_bytes(10).queue_capacity(7).watch_history(3).cache_bytes(0);
    let options = options.sync_within(Duration::from_millis(1_500));
    assert_eq!(toml::from_str::<RedbOptions>(text).unwrap(), options);
    let written = toml::to_string(&options).unwrap();
    assert_eq!(toml::from_str::<RedbOptions>(&written).unwrap(), options);
    assert_eq!(toml::from_str::<RedbOptions>("").unwrap(), RedbOptions::new());
    for (text, why) in [
        ("queue_capacity = 0", "queue_capacity must be at least 1"),
        ("queue_capacity = 1048577", "queue_capacity must be at most 1048576"),
        ("max_value_bytes = 1073741825", "max_value_bytes must be at most 1 GiB"),
        ("sync_within = \"0s\"", "sync_within must be longer than zero"),
        ("sync_within = 5", "a duration with its unit"),
        ("watch_history = 0", "watch_history must be at least 1"),
        ("cache_bytes = -1", "invalid value"),
        ("cash_bytes = 1", "unknown field"),
    ] {
        let error = toml::from_str::<RedbOptions>(text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}
