//! The power fails at every sync: of what was not synced some is on the disk, some is not, and some is torn.

use std::time::Duration;

use dayfly_kv_redb::RedbOptions;
use dayfly_testing::times;

use crate::disk::{Disk, Event, apply};
use crate::script::{Content, content, contents, script};
use crate::support::orders;

const SEED: u64 = 17;

/// What is left of changes that were not synced.
fn left(base: &[u8], unsynced: &[Event], how: usize, random: &mut fastrand::Rng) -> Vec<u8> {
    let mut disk = base.to_vec();
    for event in unsynced {
        match event {
            Event::Length(_) => apply(&mut disk, event),
            Event::Write(offset, data) => {
                let kept = match how {
                    0 => 0,
                    1 => data.len(),
                    // Whole sectors get there, in any order, and one write in four ends in the middle of one.
                    _ if random.bool() => data.len(),
                    _ if random.bool() => random.usize(..=data.len()),
                    _ => 0,
                };
                apply(&mut disk, &Event::Write(*offset, data[..kept].to_vec()));
            }
            Event::Synced | Event::Acknowledged(_) => {}
        }
    }
    disk
}

/// Opens what is left and reads it all; or says why it cannot be opened.
async fn survivor(disk: Vec<u8>, options: &RedbOptions) -> Result<Content, String> {
    let backend = Disk::with(disk).open(options).await.map_err(|error| format!("{error:?}"))?;
    let store = backend.store(&orders()).await.map_err(|error| format!("{error:?}"))?;
    Ok(content(&store).await)
}

/// Runs a script, and cuts the power at every sync of it. `promised` says how many operations have to be there, of those
/// that were acknowledged.
async fn cut_at_every_sync(
    options: RedbOptions,
    every: usize,
    promised: impl Fn(usize) -> usize,
) -> (usize, usize) {
    let steps = script(500, SEED);
    let expected = contents(&steps);
    let disk = Disk::default();
    disk.record();
    let backend = disk.open(&options).await.unwrap();
    let store = backend.store(&orders()).await.unwrap();
    backend.sync().await.unwrap();
    for (number, step) in steps.iter().enumerate() {
        step.run(&store).await.unwrap();
        if (number + 1) % every == 0 {
            backend.sync().await.unwrap();
        }
        disk.note(number + 1);
    }
    let (mut base, mut unsynced, mut acknowledged) = (Vec::new(), Vec::new(), 0);
    let mut random = fastrand::Rng::with_seed(SEED);
    let (mut syncs, mut cuts) = (0, 0);
    for event in disk.recorded() {
        match event {
            Event::Acknowledged(number) => acknowledged = number,
            Event::Synced => {
                for how in 0..times(4, 40) {
                    let disk = left(&base, &unsynced, how, &mut random);
                    let found = survivor(disk, &options).await;
                    let found = found.unwrap_or_else(|why| panic!("seed {SEED}, sync {syncs}, {how}: {why}"));
                    let least = promised(acknowledged);
                    let is_prefix =
                        (least..=acknowledged + every).any(|step| expected.get(step) == Some(&found));
                    assert!(
                        is_prefix,
                        "seed {SEED}, sync {syncs}, {how}: after {acknowledged} operations, at least {least} of them \
                         synced, what is left is no beginning of what happened: {:?}",
                        found.keys()
                    );
                    cuts += 1;
                }
                for event in unsynced.drain(..) {
                    apply(&mut base, &event);
                }
                syncs += 1;
            }
            other => unsynced.push(other),
        }
    }
    (syncs, cuts)
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_power_loss_at_every_sync_and_nothing_is_torn() {
    let (syncs, cuts) = cut_at_every_sync(RedbOptions::new(), 1, |acknowledged| acknowledged).await;
    assert!(syncs >= 400, "{syncs}");
    println!("500 operations, {syncs} syncs, {cuts} power losses, all open, 0 acknowledged writes lost");
}

#[tokio::test]
async fn with_sync_within_what_is_left_is_a_beginning_of_what_happened() {
    let options = RedbOptions::new().sync_within(Duration::from_secs(3_600));
    let (syncs, cuts) = cut_at_every_sync(options, 10, |acknowledged| acknowledged / 10 * 10).await;
    assert!((50..=60).contains(&syncs), "{syncs}");
    println!(
        "500 operations, {syncs} syncs, {cuts} power losses, all open, each a beginning of what happened"
    );
}
