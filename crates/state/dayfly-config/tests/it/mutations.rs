//! Whatever is done to a file: what is in force was valid as a whole, and is of one piece.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dayfly::SignalSink;
use dayfly_config::{Invalid, Problem, ReloadError, Watched};
use dayfly_testing::times;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::Deserialize;

use crate::support::{ASKED_ONLY, Folder, Settings, WATCH, asked_only};

const SOUND: &str = r#"name = "relay" # a comment
limit = 8
twice = 16
hosts = ["one.example", "two.example"]

[orders]
max_concurrency = 8
queue_capacity = 1_000
max_age = "1h 30m"
defer_on = ["circuit.open.*", "load.high"]
max_deferral = { wait = "30s", then = "skip" }

[other]
size = 3
label = 'x'
"#;

/// One thing done to a text, at a place.
#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Drop(usize, usize),
    Put(usize, Vec<u8>),
    Flip(usize, u8),
    Twice(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = 0..SOUND.len();
    let telling = prop_oneof![
        Just(b"[".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"=".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"-1".to_vec()),
        Just(b"\xff".to_vec()),
        Just(b"\0".to_vec()),
        Just(b"nan".to_vec()),
        Just(b"99999999999999999999".to_vec()),
        Just(b"\nlimit = 1\n".to_vec()),
        Just(b"\n[orders]\n".to_vec()),
        Just("\u{202e}".into()),
    ];
    prop_oneof![
        at.clone().prop_map(Damage::Cut),
        (at.clone(), 1..40_usize).prop_map(|(at, length)| Damage::Drop(at, length)),
        (at.clone(), telling).prop_map(|(at, bytes)| Damage::Put(at, bytes)),
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        (at, 1..80_usize).prop_map(|(at, length)| Damage::Twice(at, length)),
    ]
}

fn damaged(all: &[Damage]) -> Vec<u8> {
    let mut text = SOUND.as_bytes().to_vec();
    for damage in all {
        let end = |at: usize, length: usize| (at + length).min(text.len());
        match damage {
            Damage::Cut(at) => text.truncate(*at),
            Damage::Drop(at, length) if *at < text.len() => drop(text.drain(*at..end(*at, *length))),
            Damage::Put(at, bytes) => {
                let at = (*at).min(text.len());
                text.splice(at..at, bytes.iter().copied());
            }
            Damage::Flip(at, byte) if *at < text.len() => text[*at] = *byte,
            Damage::Twice(at, length) if *at < text.len() => {
                let again = text[*at..end(*at, *length)].to_vec();
                text.splice(*at..*at, again);
            }
            _ => {}
        }
    }
    text
}

/// An independent reading of the same bytes: the toml crate straight into the type, and the check.
fn expected(bytes: &[u8]) -> Option<Settings> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()?;
    let settings: Settings = toml::from_str(text).ok()?;
    (!bytes.is_empty() && is_sound(&settings)).then_some(settings)
}

fn is_sound(settings: &Settings) -> bool {
    settings.twice == 2 * settings.limit
}

/// A thousand, and in the full form ten thousand.
#[tokio::test]
async fn a_mutated_file_is_taken_only_when_it_is_valid_as_a_whole() {
    let count = times(1_000, 10_000);
    let folder = Folder::with(SOUND);
    let check =
        |settings: &Settings| if is_sound(settings) { Ok(()) } else { Err(Invalid::at("twice", "is not")) };
    let watched =
        Watched::open_validated(folder.sources(), ASKED_ONLY, &SignalSink::default(), check).await.unwrap();
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = proptest::collection::vec(damage(), 1..4);
    let (mut taken, mut rejected) = (0_u32, 0_u32);
    for _ in 0..count {
        let damages = strategy.new_tree(&mut runner).unwrap().current();
        let bytes = damaged(&damages);
        folder.write("app.toml", &bytes);
        let before = watched.snapshot();
        match (watched.reload().await, expected(&bytes)) {
            (Ok(_), Some(settings)) => {
                assert_eq!(*watched.load(), settings, "{damages:?}");
                taken += 1;
            }
            (Err(ReloadError::Rejected(rejection)), None) => {
                assert!(std::ptr::eq(&raw const *before, &raw const *watched.load()), "{damages:?}");
                let placed = |problem: &Problem| problem.origin().is_some() || !problem.key().is_empty();
                assert!(rejection.problems.iter().all(placed), "{rejection}");
                rejected += 1;
            }
            (found, expected) => panic!("{damages:?}: {found:?}, wanted {expected:?}"),
        }
    }
    println!("{count} mutated files: {rejected} rejected, {taken} valid and taken");
    assert!(rejected > count / 2 && taken > 0);
}

/// Two values that always belong together, a million times read while they change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_reads_never_mix_two_generations() {
    const READS: u64 = 1_000_000;
    let folder = Folder::with("limit = 0\ntwice = 0");
    let watched = asked_only(folder.sources()).await;
    let (read, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..4)
        .map(|number| {
            let (watched, read, done) = (watched.clone(), Arc::clone(&read), Arc::clone(&done));
            std::thread::spawn(move || {
                let (mut reader, mut newest) = (watched.reader(), 0);
                while read.fetch_add(1, Ordering::Relaxed) < READS || !done.load(Ordering::Relaxed) {
                    let (limit, twice, generation) = if number % 2 == 0 {
                        let current = watched.load();
                        (current.limit, current.twice, current.generation())
                    } else {
                        let settings = reader.get();
                        (settings.limit, settings.twice, newest)
                    };
                    assert_eq!(twice, 2 * limit);
                    assert!(generation >= newest, "time went back");
                    newest = generation;
                }
            })
        })
        .collect();
    let mut limit = 0_u32;
    while read.load(Ordering::Relaxed) < READS || limit < 200 {
        limit += 1;
        folder.write("app.toml", format!("limit = {limit}\ntwice = {}", 2 * limit));
        assert_eq!(watched.reload().await, Ok(u64::from(limit) + 1));
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.join().unwrap();
    }
    println!("{} reads over {limit} generations", read.load(Ordering::Relaxed));
}

/// A writer that takes its time, over and over: no prefix of what it writes is ever in force.
#[tokio::test]
async fn a_slow_writer_is_waited_for() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Lines {
        lines: Vec<u32>,
        last: bool,
    }
    impl Default for Lines {
        fn default() -> Self {
            Self { lines: vec![0; 100], last: true }
        }
    }
    use std::io::Write;
    let folder = Folder::with("last = true");
    // Longer than any writer here pauses, be the machine as busy as it likes.
    let patient = WATCH.settle(Duration::from_millis(500));
    let check = |lines: &Lines| {
        // A prefix would be valid by its types.
        if lines.last && lines.lines.len() == 100 { Ok(()) } else { Err(Invalid::new("a part of it")) }
    };
    let watched =
        Watched::open_validated(folder.sources(), patient, &SignalSink::default(), check).await.unwrap();
    for round in 1..4_u32 {
        let generation = watched.generation();
        let mut file = std::fs::File::create(folder.app()).unwrap();
        writeln!(file, "last = true\nlines = [").unwrap();
        for _ in 0..100 {
            write!(file, "{round},").unwrap();
            tokio::task::yield_now().await;
        }
        writeln!(file, "]").unwrap();
        drop(file);
        let lines = crate::support::soon(watched.changed_since(generation)).await;
        assert_eq!(lines.lines, vec![round; 100]);
        assert_eq!(watched.last_rejection(), None, "a part was taken for the whole");
    }
}
