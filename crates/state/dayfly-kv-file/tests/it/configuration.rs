//! Options as configuration writes them.

use dayfly_kv_file::FileOptions;

#[test]
fn options_are_read_and_written_and_checked() {
    let options = FileOptions::new().max_value_bytes(10).max_threads(2).watch_history(3);
    let text = toml::to_string(&options).unwrap();
    assert_eq!(text, "max_value_bytes = 10\nmax_threads = 2\nwatch_history = 3\n");
    assert_eq!(toml::from_str::<FileOptions>(&text).unwrap(), options);
    assert_eq!(toml::from_str::<FileOptions>("").unwrap(), FileOptions::new());
    for (text, why) in [
        ("max_threads = 0", "at least 1"),
        ("max_threads = 1025", "at most 1024"),
        ("max_threads = -1", "invalid value"),
        ("watch_history = 0", "at least 1"),
        ("threads = 1", "unknown field"),
    ] {
        let error = toml::from_str::<FileOptions>(text).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
