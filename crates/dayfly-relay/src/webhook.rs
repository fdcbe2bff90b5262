//! Signatures as Standard Webhooks 1.0 has them: HMAC-SHA256 over `id.timestamp.body`, base64, with `v1,` in front.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer};
use sha2::Sha256;
use thiserror::Error;

/// The header with the event's id, the same on every attempt.
pub const ID: &str = "webhook-id";
/// The header with the time of the attempt, in seconds of Unix time.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub const SIGNATURE: &str = "webhook-signature";

/// How far a timestamp may be from the receiver's clock, so that a recorded request cannot be replayed later.
const TOLERANCE_SECONDS: u64 = 5 * 60;

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";

/// A shared secret, written as `whsec_` and base64. It never shows itself in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// A secret that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseSecretError {
    /// The prefix is missing.
    #[error("a secret begins with `whsec_`")]
    NoPrefix,
    /// What follows the prefix is no base64.
    #[error("what follows `whsec_` is no base64")]
    NoBase64,
    /// The standard asks for 24 to 64 bytes.
    #[error("a secret has 24 to 64 bytes, this one has {0}")]
    Length(usize),
}

/// The three headers of a request, as they came.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    /// `webhook-id`
    pub id: &'a str,
    /// `webhook-timestamp`
    pub timestamp: &'a str,
    /// `webhook-signature`
    pub signature: &'a str,
}

/// Why a request is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// With a full stop in the id, two different messages could have the same signed text.
    #[error("the id is empty or contains a full stop")]
    Id,
    /// The timestamp is not a number.
    #[error("the timestamp is no number of seconds")]
    Timestamp,
    /// The request is too old or from the future.
    #[error("the timestamp is {off_by} seconds off, more than the {TOLERANCE_SECONDS} allowed")]
    Stale {
        /// How far it is from the receiver's clock.
        off_by: u64,
    },
    /// No signature was made with a known secret over this content.
    #[error("no signature matches")]
    NoMatch,
}

impl Secret {
    /// A secret made of these bytes.
    ///
    /// # Errors
    /// When there are fewer than 24 or more than 64.
    pub fn new(bytes: &[u8]) -> Result<Self, ParseSecretError> {
        match bytes.len() {
            24..=64 => Ok(Self(bytes.to_vec())),
            length => Err(ParseSecretError::Length(length)),
        }
    }

    fn digest(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length, so this cannot fail")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

impl FromStr for Secret {
    type Err = ParseSecretError;

    fn from_str(text: &str) -> Result<Self, ParseSecretError> {
        let code = text.strip_prefix(PREFIX).ok_or(ParseSecretError::NoPrefix)?;
        Self::new(&STANDARD.decode(code).map_err(|_| ParseSecretError::NoBase64)?)
    }
}

/// Read as text, so that an error never repeats it.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The signature header: one signature for each secret, so that a receiver may know the old or the new one.
#[must_use]
pub fn sign(secrets: &[Secret], id: &str, timestamp: u64, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    let sign = |secret: &Secret| {
        let digest = secret.digest(id, &timestamp, body).finalize().into_bytes();
        format!("{VERSION}{}", STANDARD.encode(digest))
    };
    secrets.iter().map(sign).collect::<Vec<_>>().join(" ")
}

/// Checks a request against all secrets that are valid now; one match is enough. `now` is Unix time in seconds.
///
/// # Errors
/// When the id or the timestamp is not acceptable, or no signature matches.
pub fn verify(secrets: &[Secret], headers: Headers<'_>, body: &[u8], now: u64) -> Result<(), VerifyError> {
    if headers.id.is_empty() || headers.id.contains('.') {
        return Err(VerifyError::Id);
    }
    let sent_at: u64 = headers.timestamp.parse().map_err(|_| VerifyError::Timestamp)?;
    let off_by = now.abs_diff(sent_at);
    if off_by > TOLERANCE_SECONDS {
        return Err(VerifyError::Stale { off_by });
    }
    // Signatures of unknown versions, and those that are no base64, are not ours to judge.
    let codes = headers.signature.split(' ').filter_map(|signature| signature.strip_prefix(VERSION));
    let matches = |given: &[u8]| {
        // `verify_slice` takes the same time whatever differs.
        let mut digests = secrets.iter().map(|secret| secret.digest(headers.id, headers.timestamp, body));
        digests.any(|digest| digest.verify_slice(given).is_ok())
    };
    if codes.filter_map(|code| STANDARD.decode(code).ok()).any(|given| matches(&given)) {
        Ok(())
    } else {
        Err(VerifyError::NoMatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SENT_AT: u64 = 1_614_265_330;

    fn secret() -> Secret {
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap()
    }

    fn other() -> Secret {
        Secret::new(&[7; 24]).unwrap()
    }

    fn check(secrets: &[Secret], signature: &str, body: &[u8], now: u64) -> Result<(), VerifyError> {
        let timestamp = SENT_AT.to_string();
        let headers = Headers { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: &timestamp, signature };
        verify(secrets, headers, body, now)
    }

    fn signature(secrets: &[Secret]) -> String {
        sign(secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", SENT_AT, BODY)
    }

    #[test]
    fn the_example_of_the_reference_implementations() {
        assert_eq!(signature(&[secret()]), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(check(&[secret()], &signature(&[secret()]), BODY, SENT_AT), Ok(()));
    }

    #[test]
    fn either_side_may_know_two_secrets_while_rotating() {
        let both = signature(&[other(), secret()]);
        assert_eq!(check(&[secret()], &both, BODY, SENT_AT), Ok(()));
        assert_eq!(check(&[other(), secret()], &signature(&[secret()]), BODY, SENT_AT), Ok(()));
    }

    #[test]
    fn a_forged_request_is_not_believed() {
        let good = signature(&[secret()]);
        assert_eq!(check(&[secret()], &good, b"{}", SENT_AT), Err(VerifyError::NoMatch));
        assert_eq!(check(&[other()], &good, BODY, SENT_AT), Err(VerifyError::NoMatch));
        for forged in ["", "v1,", "v1,????", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,AAAA"] {
            assert_eq!(check(&[secret()], forged, BODY, SENT_AT), Err(VerifyError::NoMatch));
        }
    }

    #[test]
    fn a_timestamp_counts_for_five_minutes_in_both_directions() {
        let good = signature(&[secret()]);
        for now in [SENT_AT - 300, SENT_AT + 300] {
            assert_eq!(check(&[secret()], &good, BODY, now), Ok(()));
        }
        for now in [SENT_AT - 301, SENT_AT + 301] {
            let stale = VerifyError::Stale { off_by: 301 };
            assert_eq!(check(&[secret()], &good, BODY, now), Err(stale));
        }
        let headers = Headers { id: "a", timestamp: "soon", signature: &good };
        assert_eq!(verify(&[secret()], headers, BODY, SENT_AT), Err(VerifyError::Timestamp));
    }

    #[test]
    fn an_id_that_could_move_the_borders_is_refused() {
        let headers = Headers { id: "a.1", timestamp: "1", signature: "" };
        assert_eq!(verify(&[secret()], headers, BODY, 1), Err(VerifyError::Id));
    }

    #[test]
    fn secrets_are_checked_and_keep_to_themselves() {
        assert_eq!("MfKQ9r8G".parse::<Secret>(), Err(ParseSecretError::NoPrefix));
        assert_eq!("whsec_!".parse::<Secret>(), Err(ParseSecretError::NoBase64));
        assert_eq!("whsec_AAAA".parse::<Secret>(), Err(ParseSecretError::Length(3)));
        assert_eq!(format!("{:?}", secret()), "Secret(..)");
    }
}
