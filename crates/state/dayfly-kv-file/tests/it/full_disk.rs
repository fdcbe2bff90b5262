//! A disk that is really full, where this machine lets one be mounted.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use dayfly_kv::{Bytes, Precondition, PutError, PutOptions, Scan, Store};

use crate::support::{key, opened};

/// A disk of 64 KiB, as long as this lives.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn new(at: &'a Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(at).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(at))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // A folder that cannot be unmounted is left to whoever put it there: nothing else is in it.
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_what_has_no_room_and_keeps_everything_else() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mounted) = Mounted::new(folder.path()) else {
        println!("skipped: no disk can be mounted here");
        return;
    };
    let store = opened(mounted.0).await;
    let value = |number: usize| Bytes::from(vec![b'0' + u8::try_from(number % 10).unwrap(); 7_000]);
    let mut written = 0;
    let refused = loop {
        match store.put(&key(&written.to_string()), value(written), PutOptions::new()).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(&refused, PutError::Unavailable(why) if why.io_kind() == Some(ErrorKind::StorageFull)));
    assert!((4..10).contains(&written), "{written} values of 7,000 bytes in 64 KiB");
    // Also what is there cannot be replaced, and stays.
    assert!(store.put(&key("0"), value(1), PutOptions::new()).await.is_err());
    for number in 0..written {
        let found = store.get(&key(&number.to_string())).await.unwrap().unwrap();
        assert_eq!(found.value, value(number));
    }
    assert_eq!(store.scan(&Scan::all()).await.unwrap().corrupt, []);
    // With room again it goes on.
    assert!(store.delete(&key("0"), Precondition::Present).await.unwrap());
    store.put(&key("last"), value(3), PutOptions::new()).await.unwrap();
    println!("full disk: {written} values written, then refused, 0 lost");
}
