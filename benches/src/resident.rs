//! How much memory the process really has.

use std::fs;

/// Resident memory in KiB, as Linux counts it.
pub fn kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("memory is measured on Linux only");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
    line.trim().trim_end_matches(" kB").parse().expect("it is a number")
}

/// The most that was seen.
#[derive(Debug, Default)]
pub struct Peak(u64);

impl Peak {
    /// Looks now.
    pub fn sample(&mut self) {
        self.0 = self.0.max(kib());
    }

    /// The most so far, in KiB.
    pub fn kib(&self) -> u64 {
        self.0
    }
}
