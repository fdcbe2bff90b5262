//! Do a million signal names that somebody hostile made up fill the memory? With a subscriber that never reads.

use std::process::ExitCode;
use std::time::Duration;

use dayfly_benches::resident::{self, Peak};
use dayfly_signal::{Draft, Lagged, SignalOptions, SignalSink};

const NAMES: u64 = 1_000_000;
/// Memory is looked at once per so many names.
const SAMPLE_EVERY: u64 = 1_000;
/// What the sink and the subscriber may hold; also what the options' table says without being asked.
const HELD: usize = 4_096;
const MAILBOX: usize = 1_024;

fn main() -> ExitCode {
    // Nothing grows old meanwhile: it is the bounds that have to hold.
    let options = SignalOptions::new().max_age(Duration::from_secs(3_600));
    let sink = SignalSink::new(options.capacity(HELD).max_raised(HELD).subscription_capacity(MAILBOX));
    let mut never_reads = sink.subscribe("*");
    let before = resident::kib();
    let mut warm = before;
    let mut during = Peak::default();
    for number in 0..NAMES {
        raise(&sink, number);
        if number == 4 * HELD as u64 {
            warm = resident::kib();
        }
        if number % SAMPLE_EVERY == 0 {
            during.sample();
        }
    }
    let after = resident::kib();

    let raised = sink.state("*").len();
    let lag = match never_reads.try_recv() {
        Err(Lagged(events)) => events,
        Ok(_) => 0,
    };
    println!("\nmemory_signals: {NAMES} distinct names of up to 200 bytes, a third of them with keys\n");
    println!("| | |");
    println!("|---|---|");
    println!("| resident memory before, KiB | {before} |");
    println!("| warm, after {} names | {warm} |", 4 * HELD);
    println!("| during, the most of {} samples | {} |", NAMES / SAMPLE_EVERY, during.kib());
    println!("| after | {after} |");
    println!("| names that are raised | {raised} |");
    println!("| `displaced()` | {} |", sink.displaced());
    println!("| events in the history | {} |", sink.len());
    println!("| the subscriber's lag | {lag} |");

    let nothing_lost = sink.displaced() + raised as u64 == NAMES && lag + MAILBOX as u64 == NAMES;
    let bounded = after <= warm + warm / 10;
    println!("\nthe figures {}", if nothing_lost { "add up" } else { "**do not** add up" });
    println!("after is {} 10 % of warm", if bounded { "within" } else { "**not** within" });
    if nothing_lost && bounded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A third short, a third of 200 bytes, a third under a key of its own.
fn raise(sink: &SignalSink, number: u64) {
    match number % 3 {
        0 => sink.raise(Draft::named(&format!("hostile.{number}"))),
        1 => sink.raise(Draft::named(&format!("hostile.{number:0>192}"))),
        _ => sink.raise(Draft::named("hostile.keyed").key(&format!("customer-{number}"))),
    };
}
