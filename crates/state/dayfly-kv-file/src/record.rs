//! What stands in a file: JSON for people, with a checksum over all of it as its last line.

use std::borrow::Cow;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dayfly_kv::{Bytes, Deadline, Entry, Etag, Key, Nonce};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What is written, and what is read. A file of another format is of another version of this crate.
const FORMAT: u32 = 1;

/// `,` and a line with the checksum, and the end of the object: of the same length in every file.
const SEAL_BYTES: usize = ",\n  \"crc32\": \"00000000\"\n}\n".len();

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<'a> {
    format: u32,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    etag: Cow<'a, str>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    expires: Option<String>,
    #[serde(borrow, default, deserialize_with = "raw")]
    value: Option<&'a RawValue>,
    #[serde(default)]
    base64: Option<String>,
    /// Checked before anything is parsed.
    #[serde(rename = "crc32")]
    _crc32: IgnoredAny,
}

/// A value of `null` is a value, and not none.
fn raw<'de, D: Deserializer<'de>>(input: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(input).map(Some)
}

/// The bytes of the file of this entry.
pub(crate) fn written(key: &Key, entry: &Entry) -> Vec<u8> {
    let mut file = Vec::with_capacity(entry.value.len() + 512);
    file.extend_from_slice(format!("{{\n  \"format\": {FORMAT}").as_bytes());
    text(&mut file, "key", key.as_str());
    text(&mut file, "etag", &entry.etag.to_string());
    if let Some(nonce) = entry.nonce {
        text(&mut file, "nonce", &nonce.to_string());
    }
    if let Some(deadline) = entry.deadline {
        text(&mut file, "expires", &humantime::format_rfc3339_nanos(deadline.time()).to_string());
    }
    if is_json(&entry.value) {
        file.extend_from_slice(b",\n  \"value\": ");
        file.extend_from_slice(&entry.value);
    } else {
        text(&mut file, "base64", &STANDARD.encode(&entry.value));
    }
    let seal = seal(&file);
    file.extend_from_slice(&seal);
    file
}

/// The entry that stands in a file, with its key; or what is wrong with it.
pub(crate) fn read(file: &[u8]) -> Result<(Key, Entry), String> {
    if file.is_empty() {
        return Err("it is empty".to_owned());
    }
    let body = file.len().checked_sub(SEAL_BYTES).map(|length| file.split_at(length));
    match body {
        Some((body, found)) if found == seal(body) => {}
        Some((_, found)) if found.starts_with(b",\n  \"crc32\": \"") && found.ends_with(b"\"\n}\n") => {
            return Err("its checksum is wrong: it was damaged, or changed by hand".to_owned());
        }
        _ => return Err("it has no checksum at its end: it is torn, or none of this store's".to_owned()),
    }
    let form: Form<'_> = serde_json::from_slice(file).map_err(|error| format!("it is no entry: {error}"))?;
    if form.format != FORMAT {
        return Err(format!("its format is {}, and this version reads {FORMAT}", form.format));
    }
    let key = Key::new(&*form.key).map_err(|error| format!("its key is none: {error}"))?;
    let value = match (form.value, form.base64) {
        (Some(value), None) => Bytes::copy_from_slice(value.get().as_bytes()),
        (None, Some(coded)) => {
            Bytes::from(STANDARD.decode(coded).map_err(|error| format!("its value is no base64: {error}"))?)
        }
        _ => return Err("it has not exactly one value".to_owned()),
    };
    let nonce = form.nonce.map(|nonce| u128::from_str_radix(&nonce, 16).map(Nonce::from_u128));
    let nonce = nonce.transpose().map_err(|error| format!("its nonce is none: {error}"))?;
    let deadline = form.expires.map(|text| deadline(&text).ok_or("it expires at no time")).transpose()?;
    Ok((key, Entry::new(value, Etag::new(form.etag)).nonce(nonce).deadline(deadline)))
}

fn deadline(text: &str) -> Option<Deadline> {
    let since = humantime::parse_rfc3339(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Deadline::from_unix_nanos(u64::try_from(since.as_nanos()).ok()?)
}

fn text(file: &mut Vec<u8>, name: &str, value: &str) {
    let value = serde_json::Value::from(value);
    file.extend_from_slice(format!(",\n  \"{name}\": {value}").as_bytes());
}

/// Whether a value comes back byte by byte when it stands in the file as it is. Blanks around it would be lost.
fn is_json(value: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(value).is_ok_and(|raw| raw.get().len() == value.len())
}

fn seal(body: &[u8]) -> Vec<u8> {
    format!(",\n  \"crc32\": \"{:08x}\"\n}}\n", crc32fast::hash(body)).into_bytes()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn key() -> Key {
        Key::new("orders/17").unwrap()
    }

    fn entry(value: &[u8]) -> Entry {
        let deadline = Deadline::from_unix_nanos(1_767_225_600_123_456_789);
        let entry = Entry::new(Bytes::copy_from_slice(value), Etag::numbered(1, 2));
        entry.nonce(Nonce::from_u128(7)).deadline(deadline)
    }

    #[test]
    fn a_person_reads_it() {
        let file = String::from_utf8(written(&key(), &entry(br#"{"total": 3}"#))).unwrap();
        let (body, seal) = file.rsplit_once(",\n").unwrap();
        assert_eq!(
            body,
            r#"{
  "format": 1,
  "key": "orders/17",
  "etag": "0000000000000001-0000000000000002",
  "nonce": "00000000000000000000000000000007",
  "expires": "2026-01-01T00:00:00.123456789Z",
  "value": {"total": 3}"#
        );
        assert!(seal.starts_with("  \"crc32\": \""));
        assert!(serde_json::from_str::<serde_json::Value>(&file).is_ok());
    }

    #[test]
    fn values_that_are_no_json_or_would_lose_a_byte_are_coded() {
        for value in [&b""[..], b" 1", b"1\n", b"\xff", b"\xef\xbb\xbf{}", b"{", b"NaN", b"1 2", b"'a'"] {
            let file = written(&key(), &entry(value));
            assert!(String::from_utf8(file.clone()).unwrap().contains("\"base64\": "), "{value:?}");
            assert_eq!(read(&file).unwrap(), (key(), entry(value)));
        }
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        for value in ["null", "1e999", "9007199254740993", r#"{"a":1,"a":2}"#, "\"\\ud800\"", "{\r\n}", &deep]
        {
            let file = written(&key(), &entry(value.as_bytes()));
            assert!(String::from_utf8(file.clone()).unwrap().contains("\"value\": "), "{value:.9}");
            assert_eq!(read(&file).unwrap(), (key(), entry(value.as_bytes())));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_torn_tail_is_found() {
        let file = written(&key(), &entry(br#"{"total":3}"#));
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut flipped = file.clone();
                flipped[at] ^= 1 << bit;
                assert!(read(&flipped).is_err(), "bit {bit} of byte {at}");
            }
            assert!(read(&file[..at]).is_err(), "torn at {at}");
            let mut zeros = file.clone();
            zeros[at..].fill(0);
            assert!(read(&zeros).is_err(), "zeros from {at} on");
        }
        assert!(read(&[&file[..], b"\n"].concat()).is_err());
    }

    #[test]
    fn what_is_sealed_and_no_entry_is_said_to_be_none() {
        let sealed = |body: &str| [body.as_bytes(), &seal(body.as_bytes())].concat();
        for (body, reason) in [
            ("{\"format\": 2, \"key\": \"a\", \"etag\": \"e\", \"value\": 1", "its format is 2"),
            ("{\"format\": 1, \"key\": \"\", \"etag\": \"e\", \"value\": 1", "its key is none"),
            ("{\"format\": 1, \"key\": \"a\", \"etag\": \"e\"", "not exactly one value"),
            ("{\"format\": 1, \"key\": \"a\", \"etag\": \"e\", \"base64\": \"-\"", "no base64"),
            ("{\"format\": 1, \"key\": \"a\", \"etag\": \"e\", \"value\": 1, \"x\": 1", "unknown field"),
            ("{\"format\": 1, \"key\": \"a\", \"etag\": \"e\", \"value\": 1, \"expires\": \"x\"", "no time"),
            ("{\"format\": 1, \"key\": \"a\", \"etag\": \"e\", \"value\": 1, \"nonce\": \"x\"", "nonce"),
        ] {
            let found = read(&sealed(body)).unwrap_err();
            assert!(found.contains(reason), "{found}");
        }
    }

    proptest! {
        #[test]
        fn every_entry_comes_back_byte_by_byte(
            name in "\\PC{1,60}",
            value in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), "\\PC{0,60}".prop_map(String::into_bytes)],
            nanos in prop::option::of(0..u64::MAX),
            nonce in prop::option::of(any::<u128>()),
        ) {
            let key = Key::new(name).unwrap();
            let entry = Entry::new(Bytes::from(value), Etag::new("w/\"7\""))
                .nonce(nonce.map(Nonce::from_u128))
                .deadline(nanos.and_then(Deadline::from_unix_nanos));
            prop_assert_eq!(read(&written(&key, &entry)).unwrap(), (key, entry));
        }

        #[test]
        fn nothing_makes_it_panic(file in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&file);
            let _ = read(&[&file[..], &seal(&file)].concat());
        }
    }

    #[test]
    fn the_last_deadline_of_all_comes_back() {
        let last = Deadline::from_unix_nanos(u64::MAX - 1).unwrap();
        assert!(last.time() > SystemTime::UNIX_EPOCH + Duration::from_secs(500 * 365 * 86_400));
        let entry = Entry::new(Bytes::new(), Etag::new("e")).deadline(last);
        assert_eq!(read(&written(&key(), &entry)).unwrap().1.deadline, Some(last));
    }
}
