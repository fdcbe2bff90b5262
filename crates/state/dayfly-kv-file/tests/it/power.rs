//! The power is cut at every boundary of a sync: the store opens, and what was acknowledged is there.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dayfly_kv::{Bytes, Key, Precondition, PutOptions, Scan, Store};
use dayfly_kv_file::FileStore;
use dayfly_testing::times;

use crate::simulated::{Image, Loss, Plant, Simulated};
use crate::support::{Dice, backend_on, bytes, key, namespace};

const OPERATIONS: usize = 500;

type Model = BTreeMap<Key, Bytes>;

async fn open(disk: &Simulated) -> Result<Arc<FileStore>, String> {
    let backend = backend_on(Path::new("/data"), Arc::new(disk.clone()));
    backend.open_store(&namespace()).await.map_err(|error| error.to_string())
}

fn keys() -> Vec<Key> {
    let mut keys: Vec<Key> = ["a", "b", "CON", "../../x", "\u{e9}"].into_iter().map(key).collect();
    keys.push(key(&"K".repeat(512)));
    keys
}

/// Runs a script, and gives what there was after each of its operations.
async fn run(disk: &Simulated, seed: u64) -> Vec<Model> {
    let store = open(disk).await.unwrap();
    let (mut dice, keys) = (Dice(seed), keys());
    let (mut models, mut model) = (vec![Model::new()], Model::new());
    disk.remember();
    for number in 0..OPERATIONS {
        let key = &keys[usize::try_from(dice.below(keys.len() as u64)).unwrap()];
        // JSON, and what is none; short, and longer than a block.
        let value = bytes(&format!("{number}{}", ["", " ", "x"][number % 3].repeat(number * 7 % 5_000)));
        match dice.below(10) {
            0 | 1 => {
                store.delete(key, Precondition::Any).await.unwrap();
                model.remove(key);
            }
            2 => {
                let put = store.put(key, value.clone(), PutOptions::new().absent()).await;
                assert_eq!(put.is_ok(), !model.contains_key(key));
                model.entry(key.clone()).or_insert(value);
            }
            3 => assert_eq!(store.sweep().await.unwrap(), 0),
            _ => {
                store.put(key, value.clone(), PutOptions::new()).await.unwrap();
                model.insert(key.clone(), value);
            }
        }
        disk.acknowledge();
        models.push(model.clone());
    }
    models
}

/// That the store opens after this loss, has what was acknowledged, and works.
async fn examine(image: &Image, loss: Loss, acknowledged: usize, models: &[Model]) -> Result<(), String> {
    let store = open(&Simulated::after(image, loss)).await?;
    let page = store.scan(&Scan::all()).await.map_err(|error| error.to_string())?;
    if !page.corrupt.is_empty() {
        return Err(format!("{:?}", page.corrupt));
    }
    let found: Model = page.entries.into_iter().map(|(key, entry)| (key, entry.value)).collect();
    // The operation that was under way is done, or is not.
    let mut possible = models[acknowledged..].iter().take(2);
    if !possible.any(|model| *model == found) {
        return Err(format!("after {acknowledged} operations the keys are {:?}", found.keys()));
    }
    store.put(&key("a"), bytes("last"), PutOptions::new()).await.map_err(|error| error.to_string())?;
    let last = store.get(&key("a")).await.map_err(|error| error.to_string())?;
    if last.is_some_and(|entry| entry.value == "last") {
        Ok(())
    } else {
        Err("nothing can be put".to_owned())
    }
}

/// How many cuts were examined; or what the first one has broken.
async fn cut_everywhere(plant: Plant, seed: u64) -> Result<usize, String> {
    let disk = Simulated::planted(plant);
    let models = run(&disk, seed).await;
    assert_eq!(models.len(), OPERATIONS + 1);
    let snapshots = disk.snapshots();
    for (at, (acknowledged, image)) in snapshots.iter().enumerate() {
        let some = Loss::Some(seed ^ at as u64);
        for loss in [Loss::All, Loss::TornFiles, Loss::EmptyFiles, some] {
            let examined = examine(image, loss, *acknowledged, &models).await;
            examined.map_err(|why| format!("boundary {at} of seed {seed}, {loss:?}: {why}"))?;
        }
    }
    Ok(snapshots.len())
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_loss_of_power_at_every_boundary_of_a_sync() {
    let (seeds, mut boundaries) = (times(1, 20), 0);
    for seed in 0..seeds {
        boundaries += cut_everywhere(Plant::Nothing, seed).await.unwrap();
    }
    println!(
        "power: {seeds} scripts of {OPERATIONS} operations, {boundaries} boundaries, 4 losses each, 0 broken"
    );
    assert!(boundaries > OPERATIONS);
}

#[tokio::test]
async fn a_store_that_does_not_sync_folders_is_found() {
    let found = cut_everywhere(Plant::NoFolderSync, 0).await.unwrap_err();
    println!("planted, no sync of folders: {found}");
    assert!(found.contains("the keys are"), "{found}");
}

#[tokio::test]
async fn a_store_that_renames_before_it_syncs_is_found() {
    let found = cut_everywhere(Plant::NoFileSync, 0).await.unwrap_err();
    println!("planted, renamed before synced: {found}");
    assert!(found.contains("is torn") || found.contains("is empty"), "{found}");
}
