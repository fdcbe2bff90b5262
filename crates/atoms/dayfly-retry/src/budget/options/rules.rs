//! What the options of a budget demand of their values: setters and configuration ask here.

use dayfly_signal::setting::Checked;

pub(super) const fn share(retries_per_call: f64) -> Checked<f64> {
    if retries_per_call >= 0.0 && retries_per_call <= 1_000.0 {
        Ok(retries_per_call)
    } else {
        Err("share must be between 0 and 1,000")
    }
}

pub(super) const fn min_per_second(retries: u32) -> Checked<u32> {
    if retries > 1_000_000 { Err("min_per_second must be at most 1,000,000") } else { Ok(retries) }
}

pub(super) const fn burst(retries: u32) -> Checked<u32> {
    if retries == 0 { Err("burst must be at least 1") } else { Ok(retries) }
}

/// A share in whole millionths. Decimal shares such as 0.29 have no exact binary form and may lie a hair below their
/// millionth, so a thousandth of one is given before the rest is cut off.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is at most 1,000 and not negative, and the rest is to be cut off"
)]
pub(super) fn millionths(share: f64) -> u64 {
    (share * 1e6 + 1e-3) as u64
}

#[cfg(test)]
mod tests {
    use super::millionths;

    #[test]
    fn every_decimal_share_is_exact_and_others_are_cut_off() {
        for whole in 0..=1_000_000_u32 {
            assert_eq!(millionths(f64::from(whole) / 1e6), u64::from(whole));
        }
        assert_eq!(millionths(1.0 / 3.0), 333_333);
        assert_eq!(millionths(2.0 / 3.0), 666_666);
        assert_eq!(millionths(1_000.0), 1_000_000_000);
    }
}
