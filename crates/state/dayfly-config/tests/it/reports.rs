//! The configuration in force as people and programs read it.

use std::fs;

use dayfly::SignalSink;
use dayfly_config::{Sources, Watched};
use serde::Deserialize;

use crate::support::{ASKED_ONLY, Folder, asked_only};

#[tokio::test]
async fn a_report_shows_every_value_with_its_source_as_text_and_as_json() {
    let folder = Folder::with("limit = 8\nhosts = [\"a\\\"b\"]\n[other]\nsize = 1");
    let watched = asked_only(folder.sources().env_from("APP", [("APP_NAME", "relay")])).await;
    let place = |text: &str| text.replace(folder.temp.path().to_str().unwrap(), "");
    assert_eq!(
        place(&watched.report().to_string()),
        "generation 1\n\
         hosts.0 = \"a\\\"b\" (/app.toml:2:10)\n\
         limit = 8 (/app.toml:1:9)\n\
         name = \"relay\" (environment variable APP_NAME)\n\
         other.size = 1 (/app.toml:4:8)\n"
    );
    fs::remove_file(folder.app()).unwrap();
    watched.reload().await.unwrap();
    assert!(watched.report().to_string().ends_with("a file is missing; what it said last is in force\n"));
    folder.write("app.toml", "limit = -1");
    watched.reload().await.unwrap_err();
    let report = watched.report();
    assert!(
        place(&report.to_string())
            .ends_with("not taken: /app.toml:1:9: limit: expected u32, found integer `-1`\n")
    );
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!((&json["generation"], &json["stale"]), (&1.into(), &true.into()));
    assert_eq!(json["values"][1]["key"], "limit");
    assert_eq!(json["values"][1]["value"], 8);
    assert_eq!(json["rejection"]["problems"][0]["key"], "limit");
    assert!(json["rejection"]["problems"][0]["source"].as_str().unwrap().ends_with("app.toml:1:9"));
}

#[tokio::test]
async fn keys_that_the_type_has_no_use_for_are_reported() {
    #[derive(Deserialize)]
    struct Loose {
        known: u32,
    }
    let folder = Folder::with("known = 1\nunknown = { deep = 2 }");
    let sources = Sources::new().file(folder.app());
    let watched = Watched::<Loose>::open(sources, ASKED_ONLY, &SignalSink::default()).await.unwrap();
    assert_eq!((watched.load().known, watched.report().ignored), (1, vec!["unknown".to_owned()]));
}

#[tokio::test]
async fn numbers_that_json_has_no_word_for_are_texts() {
    #[derive(Deserialize)]
    struct Float {
        ratio: f64,
    }
    let folder = Folder::with("ratio = nan");
    let watched = Watched::<Float>::open(folder.sources(), ASKED_ONLY, &SignalSink::default()).await.unwrap();
    assert!(watched.load().ratio.is_nan());
    assert!(watched.report().to_json().contains("\"NaN\""));
    assert_eq!(watched.reload().await, Ok(1), "what is no number is no change either");
}
