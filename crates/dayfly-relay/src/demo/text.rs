//! The report for people: one column for each receiver.

use std::fmt;

use super::report::{ReceiverReport, Report, SourceReport};

const LABEL: usize = 26;
const COLUMN: usize = 12;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.write(f)?;
        let Self { order, concurrency, seed, chaos, .. } = self;
        writeln!(f, "delivery  {order}, {concurrency} at once per endpoint, seed {seed}, chaos {chaos}\n")?;

        self.row(f, "", |receiver| receiver.name.to_owned())?;
        self.count(f, "delivered", |receiver| receiver.delivered)?;
        self.count(f, "failed", |receiver| receiver.failed)?;
        self.count(f, "attempts", |receiver| receiver.attempts)?;
        self.count(f, "retries", |receiver| receiver.retries)?;
        self.count(f, "duplicates suppressed", |receiver| receiver.duplicates_suppressed)?;
        self.count(f, "order violations", |receiver| receiver.order_violations)?;
        self.count(f, "signatures verified", |receiver| receiver.signatures_verified)?;
        self.count(f, "signatures rejected", |receiver| receiver.signatures_rejected)?;
        self.count(f, "circuit openings", |receiver| receiver.circuit_openings)?;
        self.count(f, "peak backlog", |receiver| receiver.peak_backlog)?;
        self.row(f, "time", |receiver| format!("{:.2} s", receiver.seconds))?;
        self.row(f, "ids taken = ids sent", |receiver| yes(receiver.ids_equal))?;
        self.row(f, "folded tree = HEAD", |receiver| yes(receiver.tree_equals_head))?;
        writeln!(f)?;

        for receiver in self.receivers.iter().filter(|receiver| !receiver.ok) {
            receiver.write_faults(f, self.source.paths_of_head)?;
        }
        self.write_verdict(f)
    }
}

impl Report {
    fn row(
        &self,
        f: &mut fmt::Formatter<'_>,
        label: &str,
        cell: impl Fn(&ReceiverReport) -> String,
    ) -> fmt::Result {
        write!(f, "{label:<LABEL$}")?;
        for receiver in &self.receivers {
            write!(f, "{:>COLUMN$}", cell(receiver))?;
        }
        writeln!(f)
    }

    fn count(
        &self,
        f: &mut fmt::Formatter<'_>,
        label: &str,
        figure: impl Fn(&ReceiverReport) -> u64,
    ) -> fmt::Result {
        self.row(f, label, |receiver| grouped(figure(receiver)))
    }

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, seconds) = (self.receivers.len(), self.seconds);
        let failed = self.receivers.iter().filter(|receiver| !receiver.ok).count();
        if self.ok {
            let paths = grouped(self.source.paths_of_head as u64);
            return writeln!(f, "OK: all {all} receivers rebuilt HEAD, {paths} paths, in {seconds:.2} s.");
        }
        writeln!(f, "FAILED: {failed} of {all} receivers did not get what was promised.")?;
        if self.order == "unordered" {
            writeln!(f, "That was to be expected: --unordered gives up the order of each path.")?;
        }
        Ok(())
    }
}

impl SourceReport {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = &self.head[..10];
        match &self.bundled_because {
            None => writeln!(f, "source    repository {} at {head}", self.name)?,
            Some(reason) => {
                writeln!(f, "source    bundled events, recorded from {} at {head}", self.name)?;
                writeln!(f, "because   {reason}")?;
            }
        }
        let [commits, events, paths] = [self.commits, self.events as u64, self.paths as u64].map(grouped);
        let again = grouped(self.paths_changed_again as u64);
        writeln!(
            f,
            "history   {commits} commits, {events} events, {paths} paths, {again} of them changed again"
        )
    }
}

impl ReceiverReport {
    fn write_faults(&self, f: &mut fmt::Formatter<'_>, paths_of_head: usize) -> fmt::Result {
        writeln!(f, "{}:", self.name)?;
        if let Some(error) = &self.first_error {
            writeln!(f, "  {} events were not delivered; the first: {error}", grouped(self.failed))?;
        }
        if !self.ids_equal {
            writeln!(f, "  {} ids are missing, {} were never sent", self.missing, self.unexpected)?;
        }
        if self.signatures_rejected > 0 {
            writeln!(f, "  {} requests were not authentic", grouped(self.signatures_rejected))?;
        }
        if self.order_violations > 0 {
            writeln!(f, "  {} events came out of their path's order", grouped(self.order_violations))?;
        }
        if !self.tree_equals_head {
            let wrong = grouped(self.wrong_paths as u64);
            writeln!(f, "  {wrong} paths are wrong; HEAD has {}", grouped(paths_of_head as u64))?;
            let longest = self.first_wrong_paths.iter().map(|wrong| wrong.path.chars().count()).max();
            let width = longest.unwrap_or_default().min(48);
            for wrong in &self.first_wrong_paths {
                let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
                let (expected, got) = (side(&wrong.expected), side(&wrong.got));
                writeln!(f, "    {:<width$}  expected {expected:<17}  got {got}", wrong.path)?;
            }
            let unnamed = self.wrong_paths - self.first_wrong_paths.len();
            if unnamed > 0 {
                writeln!(f, "    and {} more", grouped(unnamed as u64))?;
            }
        }
        writeln!(f)
    }
}

fn yes(holds: bool) -> String {
    if holds { "yes" } else { "NO" }.to_owned()
}

/// Digits in groups of three: `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_groups() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
