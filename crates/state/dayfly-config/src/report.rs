//! The configuration in force, for people and for programs.

use std::fmt;
use std::sync::Arc;

use figment::value::{Num, Value};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::layer::for_each_value;
use crate::origin::Origin;
use crate::problem::Rejection;
use crate::reading::{is_secret, number_text};
use crate::secret::HIDDEN;
use crate::shared::Shared;

/// The configuration in force: every value that a source says, with the source that has the last word.
///
/// It prints as lines such as `orders.max_concurrency = 8 (relay.toml:3:19)`, and serializes as an object with
/// `generation`, `exists`, `stale`, `values`, `ignored` and `rejection`. Values that no source says are the type's own
/// defaults and not shown; give [`defaults`](crate::Sources::defaults) to see them. Secrets show as `***`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Which change put it in force.
    pub generation: u64,
    /// Whether every file that was there is there.
    pub exists: bool,
    /// Whether what stands in the sources is not what is in force.
    pub stale: bool,
    /// By key.
    pub values: Vec<ReportedValue>,
    /// Keys that stand in a source and that the type has no use for. None when it refuses unknown keys.
    pub ignored: Vec<String>,
    /// The content that was not taken last, whether it still stands there or not.
    pub rejection: Option<Arc<Rejection>>,
}

/// A value in force.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReportedValue {
    /// Its key.
    pub key: String,
    /// Its source.
    pub origin: Option<Origin>,
    value: serde_json::Value,
}

impl ReportedValue {
    /// The value as JSON writes it; `"***"` for a secret.
    #[must_use]
    pub fn json(&self) -> String {
        self.value.to_string()
    }
}

impl Report {
    pub(crate) fn of<T>(shared: &Shared<T>) -> Self {
        let in_force = shared.in_force();
        let (effective, marks) = (&in_force.facts.effective, &in_force.facts.marks);
        let mut values = Vec::new();
        for_each_value(&effective.root, "", &mut |key, value| {
            let Some(value) = plain(value) else { return };
            let value = if is_secret(key, &shared.secrets, marks) { HIDDEN.into() } else { value };
            let origin = effective.place(key).map(|place| place.origin.clone());
            values.push(ReportedValue { key: key.to_owned(), origin, value });
        });
        Self {
            generation: in_force.generation,
            exists: in_force.facts.is_whole,
            stale: shared.is_stale(),
            values,
            ignored: marks.ignored.iter().cloned().collect(),
            rejection: shared.last_rejection(),
        }
    }

    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts, numbers and lists of them always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// A value that has no others in it.
fn plain(value: &Value) -> Option<serde_json::Value> {
    Some(match value {
        Value::String(_, text) => text.as_str().into(),
        Value::Char(_, letter) => letter.to_string().into(),
        Value::Bool(_, is) => (*is).into(),
        Value::Empty(..) => serde_json::Value::Null,
        Value::Num(_, Num::F32(number)) => float(f64::from(*number)),
        Value::Num(_, Num::F64(number)) => float(*number),
        Value::Num(_, number) => {
            let number_text = number_text(*number);
            number_text.parse::<serde_json::Number>().map_or_else(|_| number_text.into(), Into::into)
        }
        Value::Dict(_, table) if table.is_empty() => serde_json::json!({}),
        Value::Array(_, list) if list.is_empty() => serde_json::json!([]),
        Value::Dict(..) | Value::Array(..) => return None,
    })
}

/// JSON has no word for what is no number.
fn float(number: f64) -> serde_json::Value {
    serde_json::Number::from_f64(number).map_or_else(|| number.to_string().into(), Into::into)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "generation {}", self.generation)?;
        for ReportedValue { key, origin, value } in &self.values {
            match origin {
                Some(origin) => writeln!(f, "{key} = {value} ({origin})")?,
                None => writeln!(f, "{key} = {value}")?,
            }
        }
        for key in &self.ignored {
            writeln!(f, "{key} is not used")?;
        }
        if !self.exists {
            writeln!(f, "a file is missing; what it said last is in force")?;
        }
        match &self.rejection {
            Some(rejection) if self.stale => {
                for problem in &rejection.problems {
                    writeln!(f, "not taken: {problem}")?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let problems = self.rejection.as_ref().map(|rejection| {
            let problems = rejection.problems.iter().map(|problem| {
                serde_json::json!({
                    "source": problem.origin().map(ToString::to_string),
                    "key": problem.key(),
                    "message": problem.message(),
                })
            });
            serde_json::json!({ "generation": rejection.generation, "problems": problems.collect::<Vec<_>>() })
        });
        let mut report = output.serialize_struct("Report", 6)?;
        report.serialize_field("generation", &self.generation)?;
        report.serialize_field("exists", &self.exists)?;
        report.serialize_field("stale", &self.stale)?;
        report.serialize_field("values", &self.values)?;
        report.serialize_field("ignored", &self.ignored)?;
        report.serialize_field("rejection", &problems)?;
        report.end()
    }
}

impl Serialize for ReportedValue {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let mut value = output.serialize_struct("ReportedValue", 3)?;
        value.serialize_field("key", &self.key)?;
        value.serialize_field("value", &self.value)?;
        value.serialize_field("source", &self.origin.as_ref().map(ToString::to_string))?;
        value.end()
    }
}
