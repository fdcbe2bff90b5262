//! Answers, all of one form.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::Serialize;
use serde_json::json;

/// The types that a web page may send anywhere without asking. No event comes like that.
const FORMS: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

pub(super) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let json = HeaderValue::from_static("application/json");
            (status, [(CONTENT_TYPE, json)], Body::from(bytes)).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

pub(super) fn failure(status: StatusCode, error: impl AsRef<str>) -> Response {
    answer(status, &json!({ "error": error.as_ref() }))
}

/// A failure that passes, and when.
pub(super) fn later(status: StatusCode, error: impl AsRef<str>, after: Duration) -> Response {
    let mut answer = failure(status, error);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    answer
}

/// Why a body is not read.
#[derive(Debug)]
pub(super) struct Unread(StatusCode, String);

impl Unread {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self(status, error.into())
    }

    pub(super) fn answer(self) -> Response {
        failure(self.0, self.1)
    }
}

/// The body of a request, if it is of a good type, no longer than allowed, and here in time.
pub(super) async fn read(request: Request, most: usize, within: Duration) -> Result<Bytes, Unread> {
    let (head, body) = request.into_parts();
    check(&head.headers, most)?;
    let mut parts = body.into_data_stream();
    let collect = async {
        let mut body = Vec::new();
        while let Some(part) = parts.next().await {
            let part =
                part.map_err(|_| Unread::new(StatusCode::BAD_REQUEST, "the body ended before its end"))?;
            if body.len() + part.len() > most {
                return Err(too_large(most));
            }
            body.extend_from_slice(&part);
        }
        Ok(Bytes::from(body))
    };
    let late = |_| Err(Unread::new(StatusCode::REQUEST_TIMEOUT, "the body takes too long"));
    tokio::time::timeout(within, collect).await.unwrap_or_else(late)
}

/// What can be said before any of the body is there.
fn check(headers: &HeaderMap, most: usize) -> Result<(), Unread> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(kind) = header(CONTENT_TYPE) {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if FORMS.iter().any(|form| form.eq_ignore_ascii_case(kind)) {
            let error = format!("`{kind}` is not taken: send `application/json` or `application/x-ndjson`");
            return Err(Unread::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
        }
    }
    if header(CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(Unread::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bodies are taken without compression"));
    }
    let length: Option<usize> = header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if length.is_some_and(|length| length > most) { Err(too_large(most)) } else { Ok(()) }
}

fn too_large(most: usize) -> Unread {
    Unread::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {most} bytes"))
}
