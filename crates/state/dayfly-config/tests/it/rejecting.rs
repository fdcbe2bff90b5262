//! What is wrong is not taken, is said once, and says why and where.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dayfly::SignalSink;
use dayfly_config::{Invalid, ReloadError, Watched};

use crate::support::{ASKED_ONLY, Folder, Settings, WATCH, asked_only, limit_becomes, open, soon};

async fn rejection(folder: &Folder, watched: &Watched<Settings>, text: &str) -> String {
    folder.write("app.toml", text);
    let before = watched.generation();
    let Err(ReloadError::Rejected(rejection)) = watched.reload().await else { panic!("{text} was taken") };
    assert_eq!((watched.generation(), rejection.generation), (before, before));
    assert_eq!(watched.last_rejection(), Some(Arc::clone(&rejection)));
    rejection.to_string().replace(folder.temp.path().to_str().unwrap(), "")
}

#[tokio::test]
async fn an_invalid_change_leaves_the_value_and_is_reported_once() {
    let folder = Folder::with("limit = 1");
    let signals = SignalSink::default();
    let watched = open(folder.sources(), &signals).await;
    let mut stale = signals.watch("config.stale");
    folder.replace("app.toml", "limit = \"many\"");
    soon(stale.changed()).await;
    assert_eq!((watched.load().limit, watched.generation()), (1, 1));
    let rejection = watched.last_rejection().unwrap();
    assert_eq!((rejection.problems.len(), rejection.problems[0].key()), (1, "limit"));
    // The same content again is no news, however often it is written.
    for _ in 0..3 {
        folder.replace("app.toml", "limit = \"many\"");
    }
    folder.replace("app.toml", "limit = 2");
    limit_becomes(&watched, 2).await;
    let raised: Vec<String> =
        signals.history("config.re*").iter().map(|signal| signal.name().to_owned()).collect();
    assert_eq!(raised, ["config.rejected", "config.reloaded"]);
    assert!(!signals.is_raised("config.stale") && !watched.is_stale());
    assert_eq!(watched.last_rejection(), Some(rejection), "it stays to be looked at");
}

#[tokio::test]
async fn an_equal_change_is_none() {
    let folder = Folder::with("limit = 1\ntwice = 2");
    let signals = SignalSink::default();
    let watched: Watched<Settings> = Watched::open(folder.sources(), ASKED_ONLY, &signals).await.unwrap();
    let before = watched.snapshot();
    for text in ["limit = 1\ntwice = 2", "# a comment\ntwice = 2\n\nlimit = 1", "\"limit\" = 0x1\ntwice = 2"]
    {
        folder.write("app.toml", text);
        assert_eq!(watched.reload().await, Ok(1));
    }
    assert!(std::ptr::eq(&raw const *before, &raw const *watched.snapshot()), "not even a new value");
    assert!(signals.history("config.*").is_empty());
    assert_eq!(
        watched.provenance("limit").unwrap().to_string().rsplit_once(':').unwrap().1,
        "11",
        "but its place is new"
    );
}

#[tokio::test]
async fn what_was_rejected_and_put_back_is_in_force_without_a_new_generation() {
    let folder = Folder::with("limit = 1");
    let watched = asked_only(folder.sources()).await;
    rejection(&folder, &watched, "limit = ").await;
    assert!(watched.is_stale());
    folder.write("app.toml", "limit = 1");
    assert_eq!(watched.reload().await, Ok(1));
    assert!(!watched.is_stale());
}

#[tokio::test]
async fn a_rejection_names_file_position_key_and_what_was_expected() {
    let folder = Folder::with("limit = 1");
    let watched = asked_only(folder.sources()).await;
    for (text, expected) in [
        ("limit = \"many\"", "/app.toml:1:9: limit: expected u32, found string \"many\""),
        ("name = \"x\"\nlimit = -1", "/app.toml:2:9: limit: expected u32, found integer `-1`"),
        (
            "[orders]\nmax_concurency = 1",
            "/app.toml:2:1: orders.max_concurency: unknown key, did you mean `max_concurrency`?",
        ),
        (
            "[orders]\nmax_concurrency = 0",
            "/app.toml:2:19: orders.max_concurrency: max_concurrency must be at least 1, but is 0",
        ),
        ("[orders]\nmax_age = \"soon\"", "/app.toml:2:11: orders.max_age: `soon` is no duration"),
        ("hosts = [\"a\", 7]", "/app.toml:1:15: hosts.1: expected a string, found integer `7`"),
        ("other = 7", "/app.toml:1:9: other: expected struct Other, found integer `7`"),
        ("limit = 1\nlimit = 2", "/app.toml:2:1: is no TOML: duplicate key"),
    ] {
        let found = rejection(&folder, &watched, text).await;
        assert!(found.starts_with(expected), "{found}\nwanted {expected}");
    }
    assert_eq!(*watched.snapshot(), Settings { limit: 1, ..Settings::default() });
}

#[tokio::test]
async fn a_missing_key_is_named_with_the_table_that_it_is_missing_from() {
    #[derive(Debug, serde::Deserialize)]
    struct Strict {
        #[expect(dead_code, reason = "it is only read")]
        inner: Inner,
    }
    #[derive(Debug, serde::Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "it is only read")]
        must: u32,
    }
    let folder = Folder::with("# nothing\n[inner]\nx = 1");
    let error = Watched::<Strict>::open(folder.sources(), WATCH, &SignalSink::default()).await.unwrap_err();
    assert!(error.to_string().ends_with("app.toml:2:1: inner.must: is missing"), "{error}");
}

#[tokio::test]
async fn a_check_of_the_whole_refuses_and_its_panic_does_too() {
    let folder = Folder::with("limit = 1\ntwice = 2");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let check = move |settings: &Settings| {
        count.fetch_add(1, Ordering::SeqCst);
        assert!(settings.limit < 100, "that is too much");
        if settings.twice == 2 * settings.limit {
            Ok(())
        } else {
            Err(Invalid::at("twice", "must be twice `limit`").and(Invalid::new("is no pair")))
        }
    };
    let watched =
        Watched::open_validated(folder.sources(), ASKED_ONLY, &SignalSink::default(), check).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the first value is checked too");
    let found = rejection(&folder, &watched, "limit = 2\ntwice = 5").await;
    assert_eq!(found, "/app.toml:2:9: twice: must be twice `limit`; is no pair");
    let found = rejection(&folder, &watched, "limit = 100\ntwice = 200").await;
    assert_eq!(found, "checking it panicked: that is too much");
    folder.write("app.toml", "limit = 3\ntwice = 6");
    assert_eq!(watched.reload().await, Ok(2));
}

#[tokio::test]
async fn everything_that_is_wrong_in_several_files_is_said_at_once() {
    let folder = Folder::with("limit = 1");
    folder.write("b.json", "{}");
    let watched = asked_only(folder.sources().file(folder.path("b.json"))).await;
    folder.write("b.json", "{\"limit\": }");
    let found = rejection(&folder, &watched, "limit = ").await;
    assert!(
        found.contains("/app.toml:1:9: is no TOML") && found.contains("; /b.json:1:11: is no JSON"),
        "{found}"
    );
}
