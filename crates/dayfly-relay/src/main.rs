//! The program `dayfly-relay`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    dayfly_relay::cli::main().await
}
