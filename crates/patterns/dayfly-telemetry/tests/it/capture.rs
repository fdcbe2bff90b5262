//! A subscriber that writes down what it sees.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// What was seen; a clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Capture(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    events: Vec<SeenEvent>,
    spans: Vec<SeenSpan>,
}

#[derive(Clone, Debug)]
pub(crate) struct SeenEvent {
    pub(crate) target: String,
    pub(crate) level: Level,
    pub(crate) fields: Fields,
    /// The span that it happened in.
    pub(crate) span: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct SeenSpan {
    pub(crate) id: u64,
    pub(crate) target: String,
    pub(crate) fields: Fields,
    pub(crate) parent: Option<u64>,
    pub(crate) follows: Vec<u64>,
    pub(crate) is_closed: bool,
}

/// Fields by name, each as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        write!(text, "{value:?}").unwrap();
        self.0.insert(field.name().to_owned(), text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Capture {
    /// Captures what this thread traces, as long as the guard lives.
    pub(crate) fn start() -> (Self, DefaultGuard) {
        let capture = Self::default();
        let guard = tracing::subscriber::set_default(Registry::default().with(capture.clone()));
        (capture, guard)
    }

    pub(crate) fn events(&self) -> Vec<SeenEvent> {
        self.0.lock().unwrap().events.clone()
    }

    /// The spans of this target, in the order in which they began.
    pub(crate) fn spans(&self, target: &str) -> Vec<SeenSpan> {
        let seen = self.0.lock().unwrap();
        seen.spans.iter().filter(|span| span.target == target).cloned().collect()
    }

    fn change(&self, id: &Id, change: impl FnOnce(&mut SeenSpan)) {
        let mut seen = self.0.lock().unwrap();
        let id = id.into_u64();
        // The registry may give an id again: the newest is meant.
        change(seen.spans.iter_mut().rev().find(|span| span.id == id).unwrap());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = context.span(id).and_then(|span| span.parent()).map(|parent| parent.id().into_u64());
        self.0.lock().unwrap().spans.push(SeenSpan {
            id: id.into_u64(),
            target: attributes.metadata().target().to_owned(),
            fields,
            parent,
            follows: Vec::new(),
            is_closed: false,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.change(id, |span| values.record(&mut span.fields));
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, _: Context<'_, S>) {
        self.change(id, |span| span.follows.push(follows.into_u64()));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (target, level) = (event.metadata().target().to_owned(), *event.metadata().level());
        let span = context.event_span(event).map(|span| span.id().into_u64());
        self.0.lock().unwrap().events.push(SeenEvent { target, level, fields, span });
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.change(&id, |span| span.is_closed = true);
    }
}
