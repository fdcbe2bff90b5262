//! Options as configuration writes them.

use std::time::Duration;

use dayfly_kv::{CacheOptions, MemoryOptions, Place, UpdateOptions};

#[test]
fn options_come_back_from_what_they_are_written_as() {
    let updates = UpdateOptions::new().attempts(3).delay(Duration::from_millis(5)).without_jitter();
    assert_eq!(toml::from_str::<UpdateOptions>(&toml::to_string(&updates).unwrap()).unwrap(), updates);
    let cache = CacheOptions::new().max_entries(7).max_age(Duration::from_secs(90));
    assert_eq!(toml::from_str::<CacheOptions>(&toml::to_string(&cache).unwrap()).unwrap(), cache);
    let memory = MemoryOptions::new().max_value_bytes(1_024).watch_history(5);
    assert_eq!(toml::from_str::<MemoryOptions>(&toml::to_string(&memory).unwrap()).unwrap(), memory);
    let place = Place::new().database("acme").entity("order");
    assert_eq!(toml::from_str::<Place>(&toml::to_string(&place).unwrap()).unwrap(), place);
}

#[test]
fn what_is_absent_has_its_default_and_durations_are_written_as_people_do() {
    assert_eq!(toml::from_str::<UpdateOptions>("").unwrap(), UpdateOptions::new());
    let updates: UpdateOptions = toml::from_str("delay = '2ms'\ntime_to_live = '1h 30m'").unwrap();
    let wanted =
        UpdateOptions::new().delay(Duration::from_millis(2)).time_to_live(Duration::from_secs(5_400));
    assert_eq!(updates, wanted);
}

#[test]
fn what_breaks_a_rule_or_is_unknown_is_an_error_that_names_it() {
    let wrong = |error: toml::de::Error| error.message().to_owned();
    let attempts = toml::from_str::<UpdateOptions>("attempts = 0").map_err(wrong);
    assert_eq!(attempts.unwrap_err(), "attempts must be at least 1, but is 0");
    let entries = toml::from_str::<CacheOptions>("max_entries = 0").map_err(wrong);
    assert_eq!(entries.unwrap_err(), "max_entries must be at least 1, but is 0");
    let history = toml::from_str::<MemoryOptions>("watch_history = 0").map_err(wrong);
    assert_eq!(history.unwrap_err(), "watch_history must be at least 1, but is 0");
    assert!(toml::from_str::<CacheOptions>("max_age = 5").is_err());
    assert!(toml::from_str::<UpdateOptions>("attempt = 5").is_err());
    assert!(toml::from_str::<Place>("database = ' '").is_err());
    assert!(serde_json::from_str::<UpdateOptions>("[3]").is_err());
}
