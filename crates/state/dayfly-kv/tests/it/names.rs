//! What keys, namespaces, etags, marks and deadlines can be.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use dayfly_kv::{
    Deadline, Etag, EtagSource, FromKey, Key, KeyError, Namespace, NamespaceError, NamespacePart, Nonce,
    Prefix, ToKey,
};
use proptest::prelude::*;

#[test]
fn keys_have_1_to_512_bytes_and_no_control_characters() {
    assert_eq!(Key::new("k".repeat(512)).unwrap().as_str().len(), 512);
    assert_eq!(Key::new("k".repeat(513)), Err(KeyError::TooLong { bytes: 513 }));
    assert_eq!(Key::new("\u{1f600}".repeat(1_250)), Err(KeyError::TooLong { bytes: 5_000 }));
    assert_eq!(Key::new(""), Err(KeyError::Empty));
    for (text, at) in [("\0", 0), ("a\u{7f}", 1), ("\u{e9}\u{85}", 2), ("a\nb", 1), ("\x1b[2J", 0)] {
        assert_eq!(Key::new(text), Err(KeyError::Control { at }), "{text:?}");
    }
    for text in ["../../x", " ", "\u{202e}", "e\u{301}", "\u{feff}"] {
        assert_eq!(Key::new(text).unwrap().as_str(), text);
    }
    assert_ne!(Key::new("e\u{301}").unwrap(), Key::new("\u{e9}").unwrap());
}

#[test]
fn a_prefix_may_be_empty_and_else_is_as_a_key() {
    assert!(Prefix::all().matches(&Key::new("a").unwrap()));
    assert!(Prefix::new("a").unwrap().matches(&Key::new("ab").unwrap()));
    assert!(!Prefix::new("ab").unwrap().matches(&Key::new("a").unwrap()));
    assert_eq!(Prefix::new(""), Ok(Prefix::all()));
    assert!(Prefix::new("k".repeat(512)).unwrap().matches(&Key::new("k".repeat(512)).unwrap()));
    assert_eq!(Prefix::new("k".repeat(513)), Err(KeyError::TooLong { bytes: 513 }));
    // Not one character of two is a beginning of the other, though they look alike.
    assert!(!Prefix::new("\u{e9}").unwrap().matches(&Key::new("e\u{301}").unwrap()));
    assert_eq!(Prefix::new("\t"), Err(KeyError::Control { at: 0 }));
}

#[test]
fn a_namespace_without_a_tenant_is_an_error() {
    for blank in ["", " ", "\u{3000}"] {
        for (at, part) in
            [NamespacePart::Database, NamespacePart::Container, NamespacePart::Entity].into_iter().enumerate()
        {
            let mut parts = ["a", "b", "c"];
            parts[at] = blank;
            assert_eq!(Namespace::new(parts[0], parts[1], parts[2]), Err(NamespaceError::Missing { part }));
        }
    }
    assert!(matches!(Namespace::new("a\n", "b", "c"), Err(NamespaceError::Control { at: 1, .. })));
    assert!(matches!(
        Namespace::new("a", "b".repeat(129), "c"),
        Err(NamespaceError::TooLong { bytes: 129, .. })
    ));
}

#[test]
fn numbers_are_keys_and_only_their_own_text_is_read_back() {
    assert_eq!((-7_i64).to_key().unwrap().as_str(), "-7");
    assert_eq!(u32::from_key(&Key::new("17").unwrap()), Some(17));
    for text in ["007", "+7", " 7", "7.0", "x", "4294967296"] {
        assert_eq!(u32::from_key(&Key::new(text).unwrap()), None, "{text}");
    }
}

#[test]
fn marks_and_etags_come_back_from_what_they_are_kept_as() {
    let nonce = Nonce::unique();
    assert_eq!(Nonce::from_u128(nonce.to_u128()), nonce);
    assert_ne!(Nonce::unique(), nonce);
    let (one, other) = (EtagSource::new(), EtagSource::new());
    let etags: HashSet<Etag> = (0..1_000).flat_map(|_| [one.next(), other.next()]).collect();
    assert_eq!(etags.len(), 2_000);
    for etag in &etags {
        assert_eq!(Etag::new(etag.to_string()), *etag);
    }
    assert_ne!(Etag::new("0000000000000001-000000000000000A"), Etag::numbered(1, 10));
    assert_eq!(Etag::new("0000000000000001-000000000000000a"), Etag::numbered(1, 10));
}

#[test]
fn deadlines_neither_overflow_nor_underflow() {
    let (epoch, second) = (SystemTime::UNIX_EPOCH, Duration::from_secs(1));
    assert_eq!(Deadline::after(epoch, Duration::MAX), None);
    assert_eq!(Deadline::after(epoch, Duration::from_nanos(u64::MAX)), None);
    assert_eq!(
        Deadline::after(epoch, Duration::from_nanos(u64::MAX - 1)).unwrap().unix_nanos(),
        u64::MAX - 1
    );
    let early = Deadline::after(epoch - second, Duration::ZERO).unwrap();
    assert_eq!(early.unix_nanos(), 0);
    assert!(!early.is_past(epoch) && early.is_past(epoch + Duration::from_nanos(1)));
    assert_eq!(Deadline::from_unix_nanos(u64::MAX), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_key_or_refused_by_the_rule(text in ".{0,600}|\\PC{0,200}") {
        let is_key = (1..=512).contains(&text.len()) && !text.chars().any(char::is_control);
        prop_assert_eq!(Key::new(&text).is_ok(), is_key);
    }

    #[test]
    fn any_etag_comes_back_from_its_text(text in "[0-9a-f]{15,17}-[0-9a-fA-F]{16}|.{1,40}") {
        prop_assert_eq!(Etag::new(&text).to_string(), text);
    }
}
