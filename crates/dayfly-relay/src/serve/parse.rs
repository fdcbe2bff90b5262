//! From the body of a request to events: one event, an array of them, or one after the other (NDJSON).
//!
//! A body is taken whole or not at all. What is wrong is told with its place: which event, which line, which column.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, de};

use super::event::Submission;

/// How deep data may be nested. Receivers have limits of their own, and few have a higher one.
const MAX_DEPTH: usize = 64;

/// How much is taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Events in one request.
    pub events: usize,
    /// Bytes of one event's data.
    pub event_bytes: usize,
}

/// Why a body is not taken, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRequest {
    /// What is wrong.
    pub error: String,
    /// Which event, 1 for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<usize>,
    /// The line of the body, 1 for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column of the line, 1 for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Whether it is its size that is wrong.
    #[serde(skip)]
    pub too_large: bool,
}

/// The events of a body.
///
/// # Errors
/// When one of them is no event, when there is none, and when there are too many or too large ones.
pub fn parse(body: &[u8], bounds: Bounds) -> Result<Vec<Submission>, BadRequest> {
    let begin = body.iter().position(|byte| !byte.is_ascii_whitespace());
    let count = Cell::new(0);
    let parsed = match begin.map(|at| body[at]) {
        None => {
            return Err(BadRequest::new(
                "the body is empty: an event, an array of events or NDJSON is wanted",
            ));
        }
        Some(b'[') => {
            let mut input = serde_json::Deserializer::from_slice(body);
            let events = Array { count: &count, most: bounds.events }.deserialize(&mut input);
            events.and_then(|events| input.end().map(|()| events))
        }
        Some(_) => one_after_the_other(body, &count, bounds.events),
    };
    let events = parsed.map_err(|wrong| BadRequest::parsing(&wrong, count.get()))?;
    if events.is_empty() {
        return Err(BadRequest::new("the array is empty: at least one event is wanted"));
    }
    if events.len() > bounds.events {
        let most = bounds.events;
        return Err(BadRequest {
            too_large: true,
            ..BadRequest::new(&format!("more than {most} events in one request"))
        });
    }
    for (index, event) in events.iter().enumerate() {
        check(event, bounds.event_bytes).map_err(|bad| BadRequest { event: Some(index + 1), ..bad })?;
    }
    Ok(events)
}

fn one_after_the_other(body: &[u8], count: &Cell<usize>, most: usize) -> serde_json::Result<Vec<Submission>> {
    let mut events = Vec::new();
    for event in serde_json::Deserializer::from_slice(body).into_iter() {
        count.set(events.len() + 1);
        events.push(event?);
        if events.len() > most {
            break;
        }
    }
    Ok(events)
}

fn check(event: &Submission, most: usize) -> Result<(), BadRequest> {
    let data = event.data.get();
    if data.len() > most {
        let error = format!("data has at most {most} bytes, not {}", data.len());
        return Err(BadRequest { too_large: true, ..BadRequest::new(&error) });
    }
    if depth(data) > MAX_DEPTH {
        return Err(BadRequest::new(&format!("data is nested deeper than {MAX_DEPTH} levels")));
    }
    Ok(())
}

/// How deep a valid JSON text is nested.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// An array of events, which counts as it goes, so that an error knows which event it is in.
struct Array<'a> {
    count: &'a Cell<usize>,
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Array<'_> {
    type Value = Vec<Submission>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Vec<Submission>, D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Array<'_> {
    type Value = Vec<Submission>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Vec<Submission>, A::Error> {
        let mut events = Vec::new();
        loop {
            self.count.set(events.len() + 1);
            let Some(event) = input.next_element()? else { return Ok(events) };
            if events.len() >= self.most {
                return Err(de::Error::custom(format_args!("more than {} events in one request", self.most)));
            }
            events.push(event);
        }
    }
}

impl BadRequest {
    /// Something that is wrong with the whole.
    #[must_use]
    pub fn new(error: &str) -> Self {
        Self { error: error.to_owned(), event: None, line: None, column: None, too_large: false }
    }

    fn parsing(wrong: &serde_json::Error, event: usize) -> Self {
        let text = wrong.to_string();
        // The place stands in fields of its own.
        let error = text.rfind(" at line ").map_or(&*text, |at| &text[..at]);
        let place = |at: usize| (at > 0).then_some(at);
        Self {
            event: place(event),
            line: place(wrong.line()),
            column: place(wrong.column()),
            too_large: error.starts_with("more than "),
            ..Self::new(error)
        }
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        if let Some(event) = self.event {
            write!(f, ", in event {event}")?;
        }
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, ", at line {line}, column {column}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { events: 3, event_bytes: 100 };

    fn ids(body: &str) -> Vec<Option<String>> {
        let events = parse(body.as_bytes(), BOUNDS).unwrap();
        events.into_iter().map(|event| event.id.map(super::super::event::EventId::into_string)).collect()
    }

    fn wrong(body: &[u8]) -> String {
        parse(body, BOUNDS).unwrap_err().to_string()
    }

    #[test]
    fn one_event_an_array_and_lines_are_taken() {
        let one = r#"{"type":"x","data":1}"#;
        assert_eq!(ids(one), [None]);
        assert_eq!(ids(&format!(" [{one}, {one}]\n")).len(), 2);
        assert_eq!(
            ids("{\"id\":\"a\",\"type\":\"x\",\"data\":1}\n\n{\"id\":\"b\",\"type\":\"x\",\"data\":2}\n"),
            [Some("a".to_owned()), Some("b".to_owned())]
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert!(wrong(b"").starts_with("the body is empty"));
        assert!(wrong(b"[]").starts_with("the array is empty"));
        assert_eq!(
            wrong(b"{\"type\":\"x\",\"data\":1}\n{\"type\":\"x\"}"),
            "missing field `data`, in event 2, at line 2, column 12"
        );
        assert_eq!(
            wrong(br#"[{"type":"x","data":1},{"type":"x y","data":1}]"#),
            "a type has no spaces and no control characters, in event 2, at line 1, column 36"
        );
        assert!(
            wrong(br#"{"id":"a.b","type":"x","data":1}"#).starts_with("an id has no full stop, in event 1")
        );
        assert!(
            wrong(br#"{"type":"x","data":1,"date":2}"#).starts_with("unknown field `date`, expected one of")
        );
        assert!(wrong(br#"{"type":"x","type":"x","data":1}"#).starts_with("duplicate field `type`"));
        assert!(wrong(b"17").contains("invalid type: integer `17`"));
        assert!(wrong(br#"[[null,"x",null,1]]"#).contains("invalid type: sequence, expected an event"));
        assert!(wrong(b"{\"type\":\"\xff\",\"data\":1}").contains("invalid unicode code point"));
        assert!(wrong("\u{feff}{}".as_bytes()).contains("expected value"));
        assert!(wrong(br#"{"type":"x","data":NaN}"#).contains("expected value"));
        assert!(wrong(br#"[{"type":"x","data":1}"#).contains("EOF"));
        assert!(wrong(br#"[{"type":"x","data":1}] 5"#).contains("trailing characters"));
    }

    #[test]
    fn what_is_too_much_is_told_apart() {
        let one = r#"{"type":"x","data":1}"#;
        for body in [[one; 4].join("\n"), format!("[{}]", [one; 4].join(","))] {
            let refused = parse(body.as_bytes(), BOUNDS).unwrap_err();
            assert!(refused.too_large && refused.error == "more than 3 events in one request", "{refused}");
        }
        let long = format!(r#"{{"type":"x","data":"{}"}}"#, "x".repeat(99));
        assert!(parse(long.as_bytes(), BOUNDS).unwrap_err().too_large);
        let wide = Bounds { events: 3, event_bytes: 10_000 };
        let nested = |levels: usize| {
            let data = "[".repeat(levels) + r#""[[[\"[""# + &"]".repeat(levels);
            parse(format!(r#"{{"type":"x","data":{data}}}"#).as_bytes(), wide).map(drop)
        };
        assert_eq!(nested(MAX_DEPTH), Ok(()));
        assert!(nested(MAX_DEPTH + 1).unwrap_err().error.contains("nested deeper"));
    }
}
