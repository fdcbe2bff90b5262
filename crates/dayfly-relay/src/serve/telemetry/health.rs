//! Whether a collector takes what it is sent, as far as its operator has to know: told once, not at every failure.

/// What is known of a collector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Health {
    delivered: u64,
    failed: u64,
    is_down: bool,
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It takes nothing any more.
    Down,
    /// It takes what it is sent again.
    Up,
}

impl Health {
    /// Notes how many requests it has taken and how many not, since the start.
    pub(super) fn seen(&mut self, delivered: u64, failed: u64) -> Option<Change> {
        let (took, refused) = (delivered > self.delivered, failed > self.failed);
        (self.delivered, self.failed) = (delivered, failed);
        // One that takes some and not others is as it was.
        let is_down = if took == refused { self.is_down } else { refused };
        let has_changed = std::mem::replace(&mut self.is_down, is_down) != is_down;
        has_changed.then_some(if is_down { Change::Down } else { Change::Up })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once() {
        let mut health = Health::default();
        let told: Vec<_> = [(0, 0), (2, 0), (2, 1), (2, 9), (2, 9), (3, 10), (4, 10), (5, 10), (5, 11)]
            .into_iter()
            .map(|(delivered, failed)| health.seen(delivered, failed))
            .collect();
        let (down, up) = (Some(Change::Down), Some(Change::Up));
        assert_eq!(told, [None, None, down, None, None, None, up, None, down]);
    }
}
