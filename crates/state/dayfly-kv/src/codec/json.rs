//! Values as JSON, with the version of their type.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::depth::{Measured, Seen};
use super::{Codec, DecodeError, EncodeError, Upcasts, finite};
use crate::versioned::Versioned;

/// Values as JSON: `{"version":1,"value":…}`.
///
/// It reads values of older versions by bringing them up to date. What JSON would not give back is refused: numbers that
/// are not finite, and values that are nested deeper than is read back (126 levels).
pub struct Json<V> {
    version: u32,
    upcasts: Upcasts,
    values: PhantomData<fn(V) -> V>,
}

impl<V> Json<V> {
    /// Values of version 1, of which there is no older one.
    pub fn new() -> Self {
        Self::versioned(1, Upcasts::new())
    }

    /// Values of this version; older ones are brought up to it by these functions.
    pub const fn versioned(version: u32, upcasts: Upcasts) -> Self {
        Self { version, upcasts, values: PhantomData }
    }
}

impl<V> Default for Json<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Serialize + DeserializeOwned> Codec<V> for Json<V> {
    fn encode(&self, value: &V) -> Result<Bytes, EncodeError> {
        let mut bytes = Vec::with_capacity(128);
        let seen = Seen::default();
        let mut output = serde_json::Serializer::with_formatter(&mut bytes, Measured::new(&seen));
        Versioned::new(self.version, value).serialize(&mut output).map_err(EncodeError::new)?;
        // A number that is not finite is written as null without a word.
        if seen.has_null() {
            finite::check(value).map_err(EncodeError::new)?;
        }
        Ok(bytes.into())
    }

    fn decode(&self, bytes: &[u8]) -> Result<V, DecodeError> {
        let Versioned { version, value } =
            serde_json::from_slice::<Versioned<&RawValue>>(bytes).map_err(DecodeError::malformed)?;
        if version == self.version {
            return serde_json::from_str(value.get()).map_err(DecodeError::malformed);
        }
        let old = serde_json::from_str(value.get()).map_err(DecodeError::malformed)?;
        let new = self.upcasts.apply(old, version, self.version)?;
        serde_json::from_value(new).map_err(DecodeError::malformed)
    }
}

impl<V> fmt::Debug for Json<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = &mut f.debug_struct("Json");
        json.field("version", &self.version).field("upcasts", &self.upcasts).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_not_finite_is_refused_wherever_it_stands() {
        let numbers = Json::<Vec<Option<f64>>>::new();
        assert!(numbers.encode(&vec![Some(1.0), None]).is_ok());
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(numbers.encode(&vec![None, Some(wrong)]).is_err());
        }
        assert!(Json::<f32>::new().encode(&f32::NAN).is_err());
    }

    #[test]
    fn what_is_nested_deeper_than_is_read_back_is_refused() {
        let nested = |levels: usize| (0..levels).fold(Value::from(1), |inner, _| json!([inner]));
        let json = Json::<Value>::new();
        let deepest = nested(126);
        assert_eq!(json.decode(&json.encode(&deepest).unwrap()).unwrap(), deepest);
        assert!(json.encode(&nested(127)).is_err());
    }

    #[test]
    fn large_whole_numbers_come_back() {
        let json = Json::<(u64, i64, u128)>::new();
        let most = (u64::MAX, i64::MIN, u128::MAX);
        assert_eq!(json.decode(&json.encode(&most).unwrap()).unwrap(), most);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// By default `serde_json` reads some of them wrong by their last bit.
        #[test]
        fn a_float_comes_back_to_its_last_bit(bits: u64, small: u32) {
            let (float, single) = (f64::from_bits(bits), f32::from_bits(small));
            prop_assume!(float.is_finite() && single.is_finite());
            let json = Json::<(f64, f32)>::new();
            let (long, short) = json.decode(&json.encode(&(float, single)).unwrap()).unwrap();
            prop_assert_eq!((long.to_bits(), short.to_bits()), (bits, small));
            // An older value goes through a tree on its way.
            let newer = Json::<(f64, f32)>::versioned(2, Upcasts::new().from(1, Ok));
            let (long, short) = newer.decode(&json.encode(&(float, single)).unwrap()).unwrap();
            prop_assert_eq!((long.to_bits(), short.to_bits()), (bits, small));
        }
    }

    #[test]
    fn a_chain_with_a_gap_in_its_middle_is_an_error_and_a_version_from_nowhere_too() {
        let first = Json::<u32>::new().encode(&3).unwrap();
        let gap = Json::<u32>::versioned(4, Upcasts::new().from(1, Ok).from(3, Ok));
        assert!(matches!(gap.decode(&first), Err(DecodeError::NoUpcast { version: 2 })));
        let ancient = br#"{"version":0,"value":3}"#;
        assert!(matches!(gap.decode(ancient), Err(DecodeError::NoUpcast { version: 0 })));
        for wrong in ["-1", "4294967296", "1.0", "\"1\"", "null"] {
            let text = format!(r#"{{"version":{wrong},"value":3}}"#);
            assert!(matches!(gap.decode(text.as_bytes()), Err(DecodeError::Malformed(_))), "{wrong}");
        }
    }

    #[test]
    fn text_that_a_person_or_an_enemy_wrote_is_read_or_refused_and_never_panics() {
        let json = Json::<Value>::new();
        for wrong in [
            "\u{feff}{\"version\":1,\"value\":1}",
            r#"{"version":1,"version":1,"value":1}"#,
            r#"{"version":1,"value":1,"value":2}"#,
            r#"{"version":1,"value":NaN}"#,
            r#"{"version":1,"value":1e999}"#,
            r#"{"version":1,"value":1} x"#,
            "{\"version\":1,\"value\":\"\u{0}\"}",
        ] {
            assert!(matches!(json.decode(wrong.as_bytes()), Err(DecodeError::Malformed(_))), "{wrong}");
        }
        for open in ["[", "{\"a\":"] {
            let deep = format!(r#"{{"version":1,"value":{}"#, open.repeat(1_000_000));
            assert!(matches!(json.decode(deep.as_bytes()), Err(DecodeError::Malformed(_))));
        }
        let large = json.decode(br#"{"version":1,"value":9007199254740993}"#).unwrap();
        assert_eq!(large, Value::from(9_007_199_254_740_993_u64));
    }

    #[test]
    fn older_values_are_brought_up_to_date_step_by_step() {
        let first = Json::<u32>::new().encode(&3).unwrap();
        let upcasts =
            Upcasts::new().from(1, |value| Ok(json!([value]))).from(2, |value| Ok(json!({ "all": value })));
        let third = Json::<Value>::versioned(3, upcasts);
        assert_eq!(third.decode(&first).unwrap(), json!({ "all": [3] }));
    }

    #[test]
    fn what_cannot_be_brought_up_to_date_says_why() {
        let first = Json::<u32>::new().encode(&3).unwrap();
        let second = Json::<u32>::versioned(2, Upcasts::new());
        assert!(matches!(second.decode(&first), Err(DecodeError::NoUpcast { version: 1 })));
        let newer = second.encode(&3).unwrap();
        let wrong = Json::<u32>::new().decode(&newer);
        assert!(matches!(wrong, Err(DecodeError::Newer { version: 2, newest: 1 })));
        let fails = Json::<u32>::versioned(2, Upcasts::new().from(1, |_| Err("no".into())));
        assert!(matches!(fails.decode(&first), Err(DecodeError::Upcast { version: 1, .. })));
    }

    #[test]
    fn bytes_that_are_no_such_value_are_malformed() {
        let json = Json::<u32>::new();
        for bytes in [&b""[..], b"3", b"{", b"{\"version\":1}", b"{\"version\":1,\"value\":-1}", b"\xff"] {
            assert!(matches!(json.decode(bytes), Err(DecodeError::Malformed(_))), "{bytes:?}");
        }
    }
}
