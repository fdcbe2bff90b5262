//! What has become of a swap whose answer was lost. This decides; reading and sending is done beside it.

use crate::entry::Entry;
use crate::etag::Etag;
use crate::nonce::Nonce;
use crate::precondition::Precondition;

/// What is known of a swap from what is there now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was done, and this is its etag.
    Applied(Etag),
    /// What it was conditional on is still there, so it can be sent again: at most one of the two can be done.
    Pending,
    /// It may have been done, and changed since.
    Unknown,
}

/// Looks at what is there after the answer to a swap was lost.
///
/// A swap that was conditional on nothing being there may have been done and its entry deleted since: then there is
/// nothing again, and to send it once more would do it twice. So that is unknown.
pub(super) fn fate(nonce: Nonce, condition: &Precondition, found: Option<&Entry>) -> Fate {
    match (condition, found) {
        (_, Some(entry)) if entry.nonce == Some(nonce) => Fate::Applied(entry.etag.clone()),
        (Precondition::Matches(etag), Some(entry)) if entry.etag == *etag => Fate::Pending,
        _ => Fate::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn only_our_mark_or_the_untouched_entry_settle_it() {
        let (ours, other) = (Nonce::unique(), Nonce::unique());
        let (before, after) = (Etag::new("before"), Etag::new("after"));
        let entry = |etag: &Etag, nonce| Entry::new(Bytes::new(), etag.clone()).nonce(nonce);
        let swap = Precondition::Matches(before.clone());

        assert_eq!(fate(ours, &swap, Some(&entry(&after, ours))), Fate::Applied(after.clone()));
        assert_eq!(
            fate(ours, &Precondition::Absent, Some(&entry(&after, ours))),
            Fate::Applied(after.clone())
        );
        assert_eq!(fate(ours, &swap, Some(&entry(&before, other))), Fate::Pending);
        assert_eq!(fate(ours, &swap, Some(&entry(&after, other))), Fate::Unknown);
        assert_eq!(fate(ours, &swap, None), Fate::Unknown);
        assert_eq!(fate(ours, &Precondition::Absent, None), Fate::Unknown);
        assert_eq!(fate(ours, &Precondition::Absent, Some(&entry(&after, other))), Fate::Unknown);
    }
}
