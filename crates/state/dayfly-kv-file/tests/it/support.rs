//! What the tests share.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use dayfly_kv::{Bytes, Key, Namespace, SystemClock};
use dayfly_kv_file::{Disk, FileBackend, FileOptions, FileStore};

/// Where a process that a test has started finds its folder.
const ROOT: &str = "DAYFLY_KV_FILE_TEST_ROOT";

/// What such a process does otherwise than the store would.
const PLANT: &str = "DAYFLY_KV_FILE_TEST_PLANT";

pub(crate) fn namespace() -> Namespace {
    Namespace::new("acme", "shop", "order").unwrap()
}

pub(crate) fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

pub(crate) fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub(crate) async fn opened(root: &Path) -> Arc<FileStore> {
    FileStore::open(root, &namespace()).await.unwrap()
}

pub(crate) fn backend_on(root: &Path, disk: Arc<dyn Disk>) -> FileBackend {
    FileBackend::with(root, FileOptions::new(), Arc::new(SystemClock)).disk(disk)
}

/// This very program, to run one test of it that is ignored otherwise, in a process of its own.
pub(crate) fn process(test: &str, root: &Path, plant: &str) -> Command {
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", test, "--ignored", "--nocapture"]);
    process.env(ROOT, root).env(PLANT, plant).stdin(Stdio::null()).stderr(Stdio::inherit());
    process
}

/// The folder that a process was started for, and its plant; `None` when this is no such process.
pub(crate) fn as_process() -> Option<(std::path::PathBuf, String)> {
    Some((std::env::var_os(ROOT)?.into(), std::env::var(PLANT).unwrap_or_default()))
}

/// Numbers that look random and are the same for the same seed.
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below this.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}
