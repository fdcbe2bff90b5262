//! What somebody wants to raise, before the sink has seen it.

use crate::SignalHandle;

/// What to raise: a name, perhaps a payload, perhaps a key.
///
/// A text becomes one by being split at its first colon, so `rate-limit:500ms` has the name `rate-limit` and the
/// payload `500ms`. Put identity into the name or the key, quantities into the payload: patterns see the name only.
///
/// ```
/// use dayfly_signal::Draft;
///
/// let draft = Draft::from("time:12:30:45").key("berlin");
/// assert_eq!((draft.name(), draft.payload_text()), ("time", Some("12:30:45")));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) payload: Option<&'a str>,
}

/// Where a draft goes: to a name that has to be looked up, or to one that a handle has looked up already.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    Name { name: &'a str, key: Option<&'a str> },
    Handle(&'a SignalHandle),
}

impl<'a> Draft<'a> {
    /// A draft with exactly this name, colons included, and no payload.
    #[must_use]
    pub const fn named(name: &'a str) -> Self {
        Self { target: Target::Name { name, key: None }, payload: None }
    }

    /// Sets the key. A keyed signal gates only its key in keyed coordinators.
    ///
    /// A draft made from a handle keeps the handle's name and looks the keyed name up anew.
    #[must_use]
    pub fn key(mut self, key: &'a str) -> Self {
        self.target = Target::Name { name: self.name(), key: Some(key) };
        self
    }

    /// Sets the payload.
    #[must_use]
    pub const fn payload(mut self, payload: &'a str) -> Self {
        self.payload = Some(payload);
        self
    }

    /// The name, without the payload.
    #[must_use]
    pub fn name(&self) -> &'a str {
        match self.target {
            Target::Name { name, .. } => name,
            Target::Handle(handle) => handle.name(),
        }
    }

    /// The key, if there is one.
    #[must_use]
    pub fn key_text(&self) -> Option<&'a str> {
        match self.target {
            Target::Name { key, .. } => key,
            Target::Handle(handle) => handle.key(),
        }
    }

    /// The payload, if there is one; an empty one is not the same as none.
    #[must_use]
    pub const fn payload_text(&self) -> Option<&'a str> {
        self.payload
    }
}

impl<'a> From<&'a str> for Draft<'a> {
    fn from(text: &'a str) -> Self {
        match text.split_once(':') {
            Some((name, payload)) => Self::named(name).payload(payload),
            None => Self::named(text),
        }
    }
}

impl<'a> From<&'a String> for Draft<'a> {
    fn from(text: &'a String) -> Self {
        Self::from(text.as_str())
    }
}

impl<'a> From<&'a SignalHandle> for Draft<'a> {
    fn from(handle: &'a SignalHandle) -> Self {
        Self { target: Target::Handle(handle), payload: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_colon_only() {
        for (text, name, payload) in [
            ("time:12:30:45", "time", Some("12:30:45")),
            ("cmd:", "cmd", Some("")),
            ("plain", "plain", None),
            (":x", "", Some("x")),
        ] {
            let draft = Draft::from(text);
            assert_eq!((draft.name(), draft.payload_text()), (name, payload), "{text}");
        }
    }
}
