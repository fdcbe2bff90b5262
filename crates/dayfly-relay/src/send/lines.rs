//! From lines to events with ids.

use std::io;

use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use crate::serve::parse::{Bounds, parse};

/// The longest line; no relay takes more.
const LINE_BYTES: usize = 64 << 20;

/// How large a request grows before it is sent, whatever its number of events.
const BATCH_BYTES: usize = 512 * 1024;

const ONE: Bounds = Bounds { events: 1, event_bytes: LINE_BYTES };

/// An event as it is sent.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) json: String,
}

/// Why there are no more lines.
#[derive(Debug)]
pub(super) enum LineError {
    Input(io::Error),
    Line { line: u64, what: String },
}

/// Events, line by line.
pub(super) struct Lines<R> {
    input: R,
    number: u64,
    read: u64,
}

#[derive(Serialize)]
struct Written<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    data: &'a RawValue,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, number: 0, read: 0 }
    }

    /// How many bytes have been read.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// The next events, none at the end; and what is wrong with the line after them.
    pub(super) async fn batch(&mut self, most: usize) -> (Vec<Line>, Option<LineError>) {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < most && bytes < BATCH_BYTES {
            match self.next().await {
                Ok(Some(line)) => {
                    bytes += line.json.len();
                    batch.push(line);
                }
                Ok(None) => break,
                Err(wrong) => return (batch, Some(wrong)),
            }
        }
        (batch, None)
    }

    async fn next(&mut self) -> Result<Option<Line>, LineError> {
        loop {
            let mut text = Vec::new();
            let mut some = (&mut self.input).take(LINE_BYTES as u64 + 1);
            let read = some.read_until(b'\n', &mut text).await.map_err(LineError::Input)?;
            if read == 0 {
                return Ok(None);
            }
            self.read += read as u64;
            self.number += 1;
            let wrong = |what: String| LineError::Line { line: self.number, what };
            if read > LINE_BYTES {
                return Err(wrong(format!("a line has at most {LINE_BYTES} bytes")));
            }
            let text = text.trim_ascii();
            if !text.is_empty() {
                return event(self.number, text).map(Some).map_err(wrong);
            }
        }
    }
}

/// The event of a line, under its own id or under one that follows from the line.
fn event(number: u64, text: &[u8]) -> Result<Line, String> {
    if text.first() == Some(&b'[') {
        return Err("one event a line is wanted, not an array".to_owned());
    }
    let events = parse(text, ONE).map_err(|bad| match bad.column {
        Some(column) => format!("{}, at column {column}", bad.error),
        None => bad.error,
    })?;
    let Some(event) = events.into_iter().next() else { return Err("an event is wanted".to_owned()) };
    let id = event.id.map_or_else(|| derived(number, text), crate::serve::event::EventId::into_string);
    let (kind, key) = (event.kind.to_string(), event.key.map(|key| key.to_string()));
    let json = serde_json::to_string(&Written { id: &id, kind, key, data: &event.data });
    // An event is one line, also when it was written over several.
    let json = json.map_err(|error| error.to_string())?.replace(['\n', '\r'], " ");
    Ok(Line { number, json })
}

fn derived(number: u64, text: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(number.to_le_bytes());
    hash.update(text);
    format!("line_{number}_{}", hex::encode(&hash.finalize()[..12]))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(input: &str, most: usize) -> (Vec<usize>, Vec<Line>, Option<LineError>) {
        let mut lines = Lines::new(input.as_bytes());
        let (mut sizes, mut events) = (Vec::new(), Vec::new());
        loop {
            let (batch, wrong) = lines.batch(most).await;
            if batch.is_empty() || wrong.is_some() {
                events.extend(batch);
                return (sizes, events, wrong);
            }
            sizes.push(batch.len());
            events.extend(batch);
        }
    }

    #[tokio::test]
    async fn a_line_is_an_event_under_the_same_id_each_time() {
        let input = "{\"type\":\"x\",\"data\":1}\n\n  {\"type\":\"x\",\"data\":1}\r\n{\"id\":\"own\",\"type\":\"x\",\"data\":[1, 2]}";
        let (sizes, one, wrong) = all(input, 2).await;
        assert!(sizes == [2, 1] && wrong.is_none());
        let numbers: Vec<u64> = one.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 3, 4]);
        assert_ne!(one[0].json, one[1].json, "two lines of the same content are two events");
        assert_eq!(one[2].json, r#"{"id":"own","type":"x","data":[1, 2]}"#);
        let (_, other, _) = all(input, 100).await;
        assert!(one.iter().zip(&other).all(|(one, other)| one.json == other.json));
    }

    #[tokio::test]
    async fn a_wrong_line_is_told_after_the_good_ones() {
        for (bad, wanted) in [
            ("{\"type\":\"x\"}", "missing field `data`, at column 12"),
            ("[{\"type\":\"x\",\"data\":1}]", "one event a line is wanted, not an array"),
            ("nonsense", "expected"),
            ("{\"type\":\"x\",\"data\":1}{\"type\":\"x\",\"data\":1}", "more than 1 events"),
        ] {
            let (_, events, wrong) = all(&format!("{{\"type\":\"x\",\"data\":1}}\n{bad}\n"), 10).await;
            let Some(LineError::Line { line, what }) = wrong else { panic!("{wrong:?}") };
            assert!(events.len() == 1 && line == 2 && what.contains(wanted), "{what}");
        }
    }
}
