//! Lists that a visit fills and empties, and that keep their buffers.

/// Takes everything out. Most lists are empty most of the time, and to look costs less than to drain one.
#[inline]
pub(super) fn each<T>(list: &mut Vec<T>, take: impl FnMut(T)) {
    if !list.is_empty() {
        list.drain(..).for_each(take);
    }
}
