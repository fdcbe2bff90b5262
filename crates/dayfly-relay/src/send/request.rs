//! One request to a relay, tried again for as long as that may help.

use std::time::{Duration, SystemTime};

use dayfly_retry::{Backoff, Jitter, Retry, RetryOptions, Verdict};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use thiserror::Error;

use super::lines::Line;
use crate::serve::attempt::retry_after;
use crate::serve::log::chain;

const TIMEOUT: Duration = Duration::from_secs(60);
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the relay has said to a batch.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Posted {
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
}

/// Why a batch is not taken.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The relay cannot be reached.
    #[error("the relay cannot be reached: {0}")]
    Connection(String),
    /// The relay has no room, or does not take anything in at the moment.
    #[error("the relay answers {status}: {error}")]
    Busy {
        /// What it answered.
        status: StatusCode,
        /// What it said.
        error: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The batch is too large for the relay, or for the room that it has at the moment.
    #[error("the relay answers {status}: {error}, from line {line} on")]
    TooLarge {
        /// What it answered.
        status: StatusCode,
        /// What it said.
        error: String,
        /// The line of the first event of the batch.
        line: u64,
    },
    /// The relay does not want it.
    #[error("the relay answers {status}: {error}, for line {line}")]
    Refused {
        /// What it answered.
        status: StatusCode,
        /// What it said.
        error: String,
        /// The line of the event that it is about, or of the first of the batch.
        line: u64,
    },
}

/// What a relay says when it does not take a batch.
#[derive(Debug, Default, Deserialize)]
struct Failure {
    error: String,
    event: Option<usize>,
}

/// Posts batches.
pub(super) struct Poster {
    client: Client,
    to: Url,
    retry: Retry<SendError>,
}

impl Poster {
    pub(super) fn new(to: &Url, attempts: u32) -> Result<Self, reqwest::Error> {
        let mut to = to.clone();
        if to.path() == "/" {
            to.set_path("/events");
        }
        let client = crate::serve::attempt::Clients::new()?.get(true).clone();
        let backoff = Backoff::exponential(FIRST_WAIT).cap(LONGEST_WAIT).jitter(Jitter::Equal);
        let options = RetryOptions::new().attempts(attempts).backoff(backoff);
        let retry = Retry::new(options, |error: &SendError| match error {
            SendError::Connection(_) | SendError::Busy { retry_after: None, .. } => Verdict::Retry,
            SendError::Busy { retry_after: Some(pause), .. } => Verdict::RetryAfter(*pause),
            SendError::TooLarge { .. } | SendError::Refused { .. } => Verdict::Stop,
        });
        Ok(Self { client, to, retry })
    }

    /// Posts a batch, in halves where it is too large. What is waited for is room for a single event.
    pub(super) async fn post(&self, batch: &[Line]) -> Result<Posted, SendError> {
        let mut posted = Posted { accepted: 0, duplicates: 0 };
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            let answered = self.retry.call(|_| self.post_once(part)).await;
            match answered {
                Ok(answer) => {
                    posted.accepted += answer.accepted;
                    posted.duplicates += answer.duplicates;
                }
                Err(given_up) => match given_up.into_error() {
                    Some(SendError::TooLarge { .. }) if part.len() > 1 => {
                        let (first, second) = part.split_at(part.len() / 2);
                        // The first half is taken out first.
                        parts.extend([second, first]);
                    }
                    Some(error) => return Err(error),
                    None => return Err(SendError::Connection("no answer in time".to_owned())),
                },
            }
        }
        Ok(posted)
    }

    async fn post_once(&self, batch: &[Line]) -> Result<Posted, SendError> {
        let body: Vec<&str> = batch.iter().map(|line| &*line.json).collect();
        let request = self.client.post(self.to.clone()).timeout(TIMEOUT);
        let request = request.header(CONTENT_TYPE, "application/x-ndjson").body(body.join("\n"));
        let lost = |error: reqwest::Error| SendError::Connection(chain(&error.without_url()));
        let answer = request.send().await.map_err(lost)?;
        let (status, retry_after) = (answer.status(), retry_after(answer.headers(), SystemTime::now()));
        let text = answer.text().await.map_err(lost)?;
        let first = batch.first().map_or(0, |line| line.number);
        if status == StatusCode::ACCEPTED {
            let understood = serde_json::from_str(&text);
            return understood.map_err(|_| SendError::Refused {
                status,
                error: "this is not what a relay says".to_owned(),
                line: first,
            });
        }
        let Failure { error, event } = serde_json::from_str(&text).unwrap_or_default();
        Err(match status {
            StatusCode::PAYLOAD_TOO_LARGE => SendError::TooLarge { status, error, line: first },
            // A part of it may have room. More than the whole backlog holds would never have any.
            StatusCode::TOO_MANY_REQUESTS if batch.len() > 1 => {
                SendError::TooLarge { status, error, line: first }
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                SendError::Busy { status, error, retry_after }
            }
            _ if status.is_server_error() => SendError::Busy { status, error, retry_after },
            _ => {
                let about = event.and_then(|event| batch.get(event.checked_sub(1)?));
                SendError::Refused { status, error, line: about.map_or(first, |line| line.number) }
            }
        })
    }
}
