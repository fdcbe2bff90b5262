//! The options as configuration writes them.

use std::time::Duration;

use dayfly_config::WatchOptions;

#[test]
fn options_are_written_and_read_back() {
    let options =
        WatchOptions::new().settle(Duration::from_millis(5)).without_poll().without_watch().max_file_size(7);
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<WatchOptions>(&text).unwrap(), options);
    let text = toml::to_string(&options).unwrap();
    assert_eq!(
        toml::from_str::<WatchOptions>(&text).unwrap(),
        options,
        "there is no null, so none has a word"
    );
    let read: WatchOptions = toml::from_str("settle = \"50ms\"\npoll_every = \"1m\"").unwrap();
    assert_eq!(
        read,
        WatchOptions::new().settle(Duration::from_millis(50)).poll_every(Duration::from_secs(60))
    );
}

#[test]
fn what_breaks_a_rule_is_an_error_and_no_panic() {
    let wrong = |text: &str| toml::from_str::<WatchOptions>(text).unwrap_err().message().to_owned();
    assert_eq!(wrong("poll_every = \"0s\""), "poll_every must be longer than zero, but is 0s");
    assert_eq!(wrong("max_file_size = 0"), "max_file_size must be at least 1, but is 0");
    assert!(wrong("setle = \"1s\"").contains("unknown field"));
}
