//! A process that writes is killed at any moment: what it was told to be written is there, and the file opens.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use dayfly_kv::{Key, PutOptions, Scan, Store};
use dayfly_kv_redb::{RedbBackend, RedbOptions};
use dayfly_testing::rounds;
use tokio::task::JoinSet;

use crate::support::orders;

const WRITERS: usize = 8;
const PLACE: &str = "DAYFLY_KV_REDB_WRITES_TO";

/// What stands under a key of this name: it tells whether it is whole.
fn value(name: &str) -> Vec<u8> {
    name.repeat(1 + name.len() * 7 % 40).into_bytes()
}

/// What a process does that is to be killed: it writes, and prints each name when it was acknowledged.
async fn write_until_killed(path: &Path) {
    let backend = RedbBackend::open_file(path, &RedbOptions::new()).await.unwrap();
    let store = Arc::new(backend.store(&orders()).await.unwrap());
    let process = std::process::id();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for number in 0_u64.. {
                let name = format!("{process} {writer} {number}");
                let key = Key::new(&name).unwrap();
                store.put(&key, value(&name).into(), PutOptions::new().absent()).await.unwrap();
                println!("written {name}");
            }
        });
    }
    writers.join_all().await;
}

/// Started by the test below as a process of its own; otherwise there is nowhere to write to.
#[tokio::test]
async fn the_process_that_is_killed() {
    if let Some(path) = std::env::var_os(PLACE) {
        write_until_killed(Path::new(&path)).await;
    }
}

fn start(path: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["killing::the_process_that_is_killed", "--exact", "--nocapture"]);
    command.env(PLACE, path).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills a process after it has said so much; gives the names that were acknowledged.
fn killed(mut process: Child, after: usize) -> Vec<String> {
    let mut lines = BufReader::new(process.stdout.take().unwrap());
    let (mut names, mut line) = (Vec::new(), String::new());
    let mut is_killed = false;
    while lines.read_line(&mut line).unwrap() > 0 {
        // The last line may be cut off, and the test's own output stands before the first one.
        if let Some((_, name)) = line.split_once("written ")
            && let Some(name) = name.strip_suffix('\n')
        {
            names.push(name.to_owned());
        }
        line.clear();
        if names.len() >= after && !is_killed {
            process.kill().unwrap();
            is_killed = true;
        }
    }
    assert!(is_killed, "the process ended by itself, after {} writes", names.len());
    process.wait().unwrap();
    names
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_kill_9() {
    let rounds = rounds(20, 10_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut acknowledged, mut readable, mut unacknowledged) = (0, 0, 0);
    for round in 0..rounds {
        let after = random.usize(1..200);
        let (from, process) = (path.clone(), start(&path));
        let names = tokio::task::spawn_blocking(move || killed(process, after)).await.unwrap();
        let opened = RedbBackend::open_file(&from, &RedbOptions::new()).await;
        let backend = opened.unwrap_or_else(|error| panic!("seed {seed}, round {round}: {error:?}"));
        let store = backend.store(&orders()).await.unwrap();
        acknowledged += names.len();
        for name in &names {
            let found = store.get(&Key::new(name).unwrap()).await.unwrap();
            let found = found.unwrap_or_else(|| panic!("seed {seed}, round {round}: {name} is lost"));
            assert_eq!(found.value, value(name), "seed {seed}, round {round}");
            readable += 1;
        }
        // Nothing is torn, also of what nobody was told of.
        let mut scan = Scan::all();
        loop {
            let page = store.scan(&scan).await.unwrap();
            assert_eq!(page.corrupt, []);
            for (key, entry) in &page.entries {
                assert_eq!(entry.value, value(key.as_str()), "seed {seed}, round {round}");
            }
            unacknowledged += page.entries.len();
            let Some(next) = page.next else { break };
            scan = scan.after(next);
        }
        store.clear().await.unwrap();
    }
    unacknowledged -= readable;
    assert!(
        readable == acknowledged && acknowledged >= rounds,
        "{acknowledged} acknowledged, {readable} readable"
    );
    println!(
        "{rounds} rounds of kill -9: {acknowledged} acknowledged, {readable} readable, {unacknowledged} more of which \
         nobody was told, 0 lost, 0 that did not open"
    );
}

#[tokio::test]
async fn a_second_process_is_told_that_the_file_is_in_use_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    let mut process = start(&path);
    let mut line = String::new();
    let mut lines = BufReader::new(process.stdout.take().unwrap());
    while !line.contains("written ") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the process ended by itself");
    }
    let refused = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("{} is in use by another process", path.display()));
    process.kill().unwrap();
    process.wait().unwrap();
    RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap();
}
