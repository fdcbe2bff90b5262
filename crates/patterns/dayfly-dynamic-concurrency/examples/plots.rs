//! Draws the plots of `docs/plots` anew: `cargo run -p dayfly-dynamic-concurrency --example plots`.

use std::path::Path;

#[path = "../tests/it/simulator/mod.rs"]
mod simulator;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/plots");
    for (name, svg) in simulator::plots::all() {
        std::fs::write(folder.join(name), svg)?;
        println!("{name}");
    }
    Ok(())
}
