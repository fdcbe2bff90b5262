//! `dayfly-relay send`: events from a file or standard input, handed in to a relay, in their order.
//!
//! One request is under way at a time, with as many events as a batch has, so memory is bounded whatever the input, and the
//! relay takes the events in in the order of their lines. An event without an id gets one that follows from its line's number
//! and content: sent again, after whatever went wrong, the same file is the same events, and those that are known already
//! are not taken in twice.

mod lines;
mod progress;
mod request;

use std::path::PathBuf;

use reqwest::Url;
use thiserror::Error;
use tokio::io::{AsyncBufRead, BufReader};

use self::lines::{LineError, Lines};
use self::progress::Bar;
use self::request::{Posted, Poster};

pub use self::request::SendError;

/// What is sent where.
#[derive(Clone, Debug)]
pub struct SendOptions {
    /// The file; `-` for standard input.
    pub file: PathBuf,
    /// Where the relay is; its `/events` is meant when it has no path.
    pub to: Url,
    /// Events of one request.
    pub batch: usize,
    /// How often a request is tried that the relay has no room for, or that does not reach it.
    pub attempts: u32,
}

/// What became of what was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Events that were taken in.
    pub accepted: u64,
    /// Events that were known already.
    pub duplicates: u64,
}

/// Why not everything was sent.
#[derive(Debug, Error)]
#[error("{why}; {} events are with the relay, send the rest again with the same command", .sent.accepted + .sent.duplicates)]
pub struct Stopped {
    /// What had been sent until then.
    pub sent: Sent,
    /// What went wrong.
    #[source]
    pub why: Why,
}

/// What went wrong.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Why {
    /// The input cannot be read.
    #[error("{}", .path.display())]
    Input {
        /// Which one.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A line is no event.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, 1 for the first.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
    /// The relay does not take the events.
    #[error("{0}")]
    Refused(SendError),
}

/// Sends everything.
///
/// # Errors
/// When the input cannot be read or a line is no event, and when the relay does not take events: how many are with it by
/// then, and why it went no further.
///
/// # Cancel safety
/// Dropped, some events are with the relay; sending the same again sends the rest.
pub async fn send(options: &SendOptions) -> Result<Sent, Stopped> {
    let unread = |source| Why::Input { path: options.file.clone(), source };
    let mut sent = Sent::default();
    let result = if options.file.as_os_str() == "-" {
        send_all(BufReader::new(tokio::io::stdin()), None, options, &mut sent).await
    } else {
        match open(&options.file).await {
            Ok((file, length)) => send_all(BufReader::new(file), length, options, &mut sent).await,
            Err(error) => Err(unread(error)),
        }
    };
    match result {
        Ok(()) => Ok(sent),
        Err(why) => Err(Stopped { sent, why }),
    }
}

async fn open(path: &std::path::Path) -> std::io::Result<(tokio::fs::File, Option<u64>)> {
    let file = tokio::fs::File::open(path).await?;
    let about = file.metadata().await?;
    if about.is_dir() {
        return Err(std::io::Error::new(std::io::ErrorKind::IsADirectory, "this is a folder"));
    }
    // Of a pipe no length is known.
    Ok((file, about.is_file().then_some(about.len())))
}

async fn send_all(
    input: impl AsyncBufRead + Unpin,
    length: Option<u64>,
    options: &SendOptions,
    sent: &mut Sent,
) -> Result<(), Why> {
    let poster = Poster::new(&options.to, options.attempts).map_err(Why::Client)?;
    let mut lines = Lines::new(input);
    let bar = Bar::start(length);
    loop {
        // What came before a line that is wrong is sent all the same.
        let (batch, wrong) = lines.batch(options.batch).await;
        if !batch.is_empty() {
            let Posted { accepted, duplicates } = poster.post(&batch).await.map_err(Why::Refused)?;
            sent.accepted += accepted;
            sent.duplicates += duplicates;
            bar.moved(lines.read(), sent);
        }
        match wrong {
            Some(LineError::Input(source)) => return Err(Why::Input { path: options.file.clone(), source }),
            Some(LineError::Line { line, what }) => return Err(Why::Line { line, what }),
            None if batch.is_empty() => return Ok(()),
            None => {}
        }
    }
}
