//! Values of every kind and size.

use dayfly_kv::{Bytes, PutError};

use super::{ANY, key, value};
use crate::case::{Broken, ensure, ensure_eq};
use crate::subject::Subject;

pub(crate) async fn values_come_back_byte_by_byte(subject: &Subject) -> Result<(), Broken> {
    let (store, a) = (subject.store().await?, key("a")?);
    let every_byte: Vec<u8> = (0..=255).collect();
    let values: [&[u8]; 8] =
        [b"", b"\0", &every_byte, b"{\"open\":", b"\xef\xbb\xbf{}", b"\xff\xfe", b"line\r\nline\n", b"null"];
    for bytes in values {
        store.put(&a, Bytes::copy_from_slice(bytes), ANY).await?;
        let found = store.get(&a).await?.map(|entry| entry.value);
        ensure_eq!(found, Some(Bytes::copy_from_slice(bytes)), "the value {bytes:?}");
    }
    Ok(())
}

pub(crate) async fn a_value_of_the_limit_is_taken_and_a_larger_one_refused(
    subject: &Subject,
) -> Result<(), Broken> {
    let (store, a) = (subject.store().await?, key("a")?);
    let limit = store.capabilities().max_value_bytes;
    // An unlimited store has nothing to refuse.
    let tried = limit.min(64 * 1024 * 1024);
    let largest = Bytes::from(vec![7; tried]);
    store.put(&a, largest.clone(), ANY).await?;
    let found = store.get(&a).await?.map(|entry| entry.value);
    ensure!(found == Some(largest), "the value of {tried} bytes did not come back");
    if tried < limit {
        return Ok(());
    }
    store.put(&a, value("small"), ANY).await?;
    let refused = store.put(&a, Bytes::from(vec![7; limit + 1]), ANY).await;
    let is_refused =
        matches!(refused, Err(PutError::TooLarge { bytes, limit: at }) if bytes == limit + 1 && at == limit);
    ensure!(is_refused, "a value of {} bytes, one more than the limit, ended as {refused:?}", limit + 1);
    ensure_eq!(store.get(&a).await?.map(|entry| entry.value), Some(value("small")), "after the refusal");
    Ok(())
}
