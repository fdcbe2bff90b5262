//! A process that writes is killed at any moment: what it was told is written, is there, and everything is whole.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use dayfly_kv::{Bytes, Precondition, PutOptions, Scan, Store};
use dayfly_kv_file::FileStore;
use dayfly_testing::rounds;
use tokio::task::JoinSet;

use crate::support::{Dice, as_process, key, opened, process};

const KEYS: u64 = 8;

/// What the write of this number writes: of any length, and nothing that half of it could be.
fn value(number: u64) -> Bytes {
    let filling = "x".repeat(usize::try_from(number * 37 % 3_000).unwrap());
    Bytes::from(format!("{{\"number\":{number},\"filling\":\"{filling}\"}}"))
}

/// The number of the write that wrote this, if it is whole.
fn number(found: &Bytes) -> Option<u64> {
    let digits = str::from_utf8(found).ok()?.strip_prefix("{\"number\":")?.split_once(',')?.0;
    digits.parse().ok().filter(|number| value(*number) == found)
}

fn name(at: u64) -> String {
    format!("key/{at}")
}

async fn last(store: &FileStore, at: u64) -> u64 {
    store.get(&key(&name(at))).await.unwrap().map_or(0, |entry| number(&entry.value).unwrap())
}

/// Writes for ever, one number after the other, and says each that it was told is written.
async fn write(store: Arc<FileStore>, at: u64) {
    let key = key(&name(at));
    let mut next = last(&store, at).await + 1;
    loop {
        let condition = match (next % 3, store.get(&key).await.unwrap()) {
            (0, Some(found)) => Precondition::Matches(found.etag),
            _ => Precondition::Any,
        };
        let options = PutOptions::new().precondition(condition);
        store.put(&key, value(next), options).await.unwrap();
        let mut output = std::io::stdout().lock();
        writeln!(output, "written {at} {next}").unwrap();
        output.flush().unwrap();
        next += 1;
    }
}

#[test]
#[ignore = "it is the process that the other test kills"]
fn the_writer() {
    let Some((root, _)) = as_process() else { return };
    // The harness of tests has begun a line.
    println!();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let store = opened(&root).await;
        let mut writers = JoinSet::new();
        for at in 0..KEYS {
            writers.spawn(write(Arc::clone(&store), at));
        }
        writers.join_next().await;
    });
}

/// Lets a writer go on until it was told of so many writes, and a moment longer; adds what it was told.
fn kill_after(mut writer: Command, after: u64, spins: u64, told: &mut BTreeMap<u64, u64>) -> u64 {
    let mut running = writer.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(running.stdout.take().unwrap());
    let (mut count, mut line) = (0, String::new());
    while output.read_line(&mut line).unwrap() > 0 {
        // What was said and cut off was written all the same, but of which number nobody can tell.
        if let Some(written) = line.strip_prefix("written ").and_then(|rest| rest.strip_suffix('\n')) {
            let (at, number) = written.split_once(' ').unwrap();
            told.insert(at.parse().unwrap(), number.parse().unwrap());
            count += 1;
            if count == after {
                (0..spins).for_each(|_| std::hint::spin_loop());
                running.kill().unwrap();
            }
        }
        line.clear();
    }
    assert!(count >= after, "the writer ended by itself after {count} writes");
    running.wait().unwrap();
    count
}

fn drafts(store: &FileStore) -> usize {
    let own = std::fs::read_dir(store.folder().join(".dayfly")).unwrap();
    own.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with("draft-")).count()
}

async fn examine(root: &Path, told: &mut BTreeMap<u64, u64>) {
    let store = opened(root).await;
    assert_eq!(drafts(&store), 0, "what the dead left is put away");
    for (at, told) in told {
        let found = last(&store, *at).await;
        // One write may have been under way.
        assert!(found == *told || found == *told + 1, "key {at} was told {told}, and has {found}");
        *told = found;
    }
    let page = store.scan(&Scan::all()).await.unwrap();
    assert_eq!(page.corrupt, []);
    assert!(page.entries.iter().all(|(_, entry)| number(&entry.value).is_some()), "a torn value");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_that_was_acknowledged_before_a_kill_is_there_after_it() {
    let (rounds, seed) = (rounds(20, 10_000), 7);
    let (folder, mut dice) = (tempfile::tempdir().unwrap(), Dice(seed));
    let (mut told, mut acknowledged) = (BTreeMap::new(), 0);
    for _ in 0..rounds {
        let writer = process("killed::the_writer", folder.path(), "");
        acknowledged += kill_after(writer, 1 + dice.below(60), dice.below(200_000), &mut told);
        examine(folder.path(), &mut told).await;
    }
    println!("kill -9: {rounds} rounds, {acknowledged} acknowledged writes, 0 lost, 0 torn, {rounds} opened");
}
