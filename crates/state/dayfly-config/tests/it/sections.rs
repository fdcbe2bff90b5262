//! Parts of a configuration: read, waited for, and outlasting their removal.

use std::fs;

use dayfly::SignalSink;
use dayfly_config::{Sources, WatchOptions, Watched};
use serde::Deserialize;

use crate::support::{Folder, Settings, asked_only, soon};

#[tokio::test]
async fn a_removed_section_keeps_its_value_while_the_rest_goes_on() {
    let folder = Folder::with("limit = 1\n[other]\nsize = 7\nlabel = \"x\"");
    let watched = asked_only(folder.sources()).await;
    let section = watched.section("other", |settings: &Settings| &settings.other);
    assert!(section.exists());
    folder.write("app.toml", "limit = 2");
    assert_eq!(watched.reload().await, Ok(2));
    assert_eq!((section.load().size, watched.load().limit, section.exists()), (7, 2, false));
    assert!(watched.exists(), "the file is there");
    assert!(
        watched.provenance("other.size").unwrap().to_string().ends_with("app.toml:3:8"),
        "where it stood last"
    );
    folder.write("app.toml", "limit = 2\nother.size = 8");
    assert_eq!(watched.reload().await, Ok(3));
    assert_eq!((section.load().size, section.load().label.as_str(), section.exists()), (8, "", true));
}

#[tokio::test]
async fn a_required_section_that_is_removed_is_no_error_when_it_is_one() {
    #[derive(Deserialize)]
    struct Strict {
        part: u32,
    }
    let folder = Folder::with("part = 1");
    let options = WatchOptions::new().without_watch().without_poll();
    let watched: Watched<Strict> =
        Watched::open(folder.sources(), options, &SignalSink::default()).await.unwrap();
    folder.write("app.toml", "# nothing");
    assert!(watched.reload().await.is_err(), "nobody asked for a section of this name");
    let section = watched.section("part", |whole| &whole.part);
    assert_eq!(watched.reload().await, Ok(1));
    assert_eq!((*section.load(), section.exists()), (1, false));
}

#[tokio::test]
async fn a_section_exists_by_a_file_or_a_variable_and_not_by_defaults() {
    let folder = Folder::with("limit = 1");
    let sources = Sources::new().defaults(&Settings::default()).file(folder.app());
    let watched = asked_only(sources.clone()).await;
    let section = watched.section("other", |settings: &Settings| &settings.other);
    assert!(!section.exists());
    let watched = asked_only(sources.env_from("APP", [("APP_OTHER__SIZE", "3")])).await;
    let section = watched.section("other", |settings: &Settings| &settings.other);
    assert!(section.exists());
    assert_eq!(section.load().size, 3);
}

#[tokio::test]
async fn a_section_of_a_removed_file_does_not_exist() {
    let folder = Folder::with("other = { size = 1 }");
    let watched = asked_only(folder.sources()).await;
    let section = watched.section("other", |settings: &Settings| &settings.other);
    fs::remove_file(folder.app()).unwrap();
    assert_eq!(watched.reload().await, Ok(1));
    assert!(!section.exists() && !watched.exists());
    assert_eq!(section.load().size, 1);
}

#[tokio::test]
async fn waiting_for_a_section_passes_over_changes_elsewhere() {
    let folder = Folder::with("limit = 1\nother = { size = 1 }");
    let watched = asked_only(folder.sources()).await;
    let section = watched.section("other", |settings: &Settings| &settings.other);
    let seen = watched.snapshot();
    folder.write("app.toml", "limit = 2\nother = { size = 1 }");
    assert_eq!(watched.reload().await, Ok(2));
    let waiting = section.clone();
    let waiter = tokio::task::JoinSet::from_iter([async move { waiting.changed_since(&seen).await }]);
    folder.write("app.toml", "limit = 3\nother = { size = 2 }");
    assert_eq!(watched.reload().await, Ok(3));
    let snapshots = soon(waiter.join_all()).await;
    assert_eq!((snapshots[0].generation(), snapshots[0].other.size), (3, 2));
}

struct Anyone;

impl dayfly_config::Reload<String> for Anyone {
    fn prepare(&self, _: &String) -> Result<(), dayfly_config::Refusal> {
        Ok(())
    }
    fn commit(&self, _: &String) {}
}

#[tokio::test]
async fn a_projection_that_panics_costs_only_the_change() {
    let folder = Folder::with("hosts = [\"a\"]");
    let watched = asked_only(folder.sources()).await;
    let first = watched.section("hosts", |settings: &Settings| &settings.hosts[0]);
    let _binding = first.subscribe(Anyone).unwrap();
    folder.write("app.toml", "hosts = []");
    assert!(
        watched
            .reload()
            .await
            .unwrap_err()
            .to_string()
            .contains("who follows it panicked: index out of bounds")
    );
    folder.write("app.toml", "hosts = [\"b\"]");
    assert_eq!(watched.reload().await, Ok(2));
    assert_eq!(*first.load(), "b");
}
