//! An entry as bytes of the file.
//!
//! ```text
//! | flags: 1 | write: 16 | deadline: 8, if flagged | nonce: 16, if flagged | the value |
//! ```
//!
//! Numbers are big-endian. A flag that is not known makes the entry corrupt: a later format would mean something by it.

use dayfly_kv::{Deadline, Entry, Etag, Nonce};

const HAS_DEADLINE: u8 = 1;
const HAS_NONCE: u8 = 2;

/// What stands before the value, and the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// What the etag is made of.
    pub(crate) write: u128,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) nonce: Option<Nonce>,
    pub(crate) value: &'a [u8],
}

impl<'a> Record<'a> {
    /// Appends its bytes.
    pub(crate) fn encode(&self, bytes: &mut Vec<u8>) {
        let flags = if self.deadline.is_some() { HAS_DEADLINE } else { 0 }
            | if self.nonce.is_some() { HAS_NONCE } else { 0 };
        bytes.push(flags);
        bytes.extend_from_slice(&self.write.to_be_bytes());
        if let Some(deadline) = self.deadline {
            bytes.extend_from_slice(&deadline.unix_nanos().to_be_bytes());
        }
        if let Some(nonce) = self.nonce {
            bytes.extend_from_slice(&nonce.to_u128().to_be_bytes());
        }
        bytes.extend_from_slice(self.value);
    }

    /// What these bytes say, or what is wrong with them.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let (&[flags], bytes) = split(bytes)?;
        if flags & !(HAS_DEADLINE | HAS_NONCE) != 0 {
            return Err("it has a flag that this version does not know");
        }
        let (&write, mut bytes) = split(bytes)?;
        let (mut deadline, mut nonce) = (None, None);
        if flags & HAS_DEADLINE != 0 {
            let (&nanos, rest) = split(bytes)?;
            deadline = Deadline::from_unix_nanos(u64::from_be_bytes(nanos));
            if deadline.is_none() {
                return Err("its deadline is none");
            }
            bytes = rest;
        }
        if flags & HAS_NONCE != 0 {
            let (&bits, rest) = split(bytes)?;
            nonce = Some(Nonce::from_u128(u128::from_be_bytes(bits)));
            bytes = rest;
        }
        Ok(Self { write: u128::from_be_bytes(write), deadline, nonce, value: bytes })
    }

    /// The etag of the write that left it so.
    pub(crate) fn etag(&self) -> Etag {
        etag(self.write)
    }

    pub(crate) fn to_entry(&self) -> Entry {
        Entry::new(self.value.to_vec().into(), self.etag()).nonce(self.nonce).deadline(self.deadline)
    }
}

/// The etag of the write with this number.
#[expect(clippy::cast_possible_truncation, reason = "these are the lower bits")]
pub(crate) const fn etag(write: u128) -> Etag {
    Etag::numbered((write >> 64) as u64, write as u64)
}

fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), &'static str> {
    bytes.split_first_chunk().ok_or("it is too short")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            write: u128,
            deadline in proptest::option::of(0..u64::MAX),
            nonce: Option<u128>,
            value: Vec<u8>,
        ) {
            let deadline = deadline.and_then(Deadline::from_unix_nanos);
            let record = Record { write, deadline, nonce: nonce.map(Nonce::from_u128), value: &value };
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            prop_assert_eq!(Record::decode(&bytes), Ok(record));
        }

        #[test]
        fn whatever_the_bytes_are_they_are_an_entry_or_corrupt(bytes: Vec<u8>) {
            if let Ok(record) = Record::decode(&bytes) {
                let mut again = Vec::new();
                record.encode(&mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_flagged_by_somebody_else_is_corrupt() {
        let mut bytes = Vec::new();
        let deadline = Deadline::from_unix_nanos(1);
        Record { write: 1, deadline, nonce: Some(Nonce::from_u128(1)), value: b"" }.encode(&mut bytes);
        for length in 0..bytes.len() {
            assert_eq!(Record::decode(&bytes[..length]), Err("it is too short"), "{length}");
        }
        bytes[0] |= 4;
        assert_eq!(Record::decode(&bytes), Err("it has a flag that this version does not know"));
    }
}
