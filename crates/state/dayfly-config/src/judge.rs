//! From what the files say to a value that may be put in force, or to what is wrong with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::contain::contain;
use crate::contents::{Content, Contents};
use crate::effective::Effective;
use crate::layer::{self, Kind, Layer, environment, json, toml};
use crate::problem::Problem;
use crate::reading::{self, Marks, without_secrets};
use crate::sources::{FileSource, Format, Sources};
use crate::validate::Validate;

/// Everything that is not the files themselves.
pub(crate) struct Judge<T> {
    pub(crate) sources: Sources,
    validate: Box<dyn Validate<T>>,
    /// What each file said when its content was last taken.
    last: Vec<Option<Arc<[u8]>>>,
}

/// A value that was read, and checked by itself.
pub(crate) struct Judged<T> {
    pub(crate) value: T,
    pub(crate) facts: Facts,
    last: Vec<Option<Arc<[u8]>>>,
}

/// What is known about a value besides itself.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) effective: Effective,
    pub(crate) marks: Marks,
    /// Whether every file that was there is there.
    pub(crate) is_whole: bool,
}

impl<T: DeserializeOwned + 'static> Judge<T> {
    /// The sources as [`Sources::resolved`] gives them.
    pub(crate) fn new(sources: Sources, validate: Box<dyn Validate<T>>) -> Self {
        let last = vec![None; sources.files.len()];
        Self { sources, validate, last }
    }

    /// Reads and checks. `sections` stay as `before` has them when no source names them any more.
    pub(crate) fn judge(
        &self,
        contents: &Contents,
        sections: &BTreeSet<String>,
        before: Option<&Effective>,
    ) -> Result<Judged<T>, Vec<Problem>> {
        let (mut layers, mut problems) = (Vec::new(), Vec::new());
        layers.extend(self.sources.defaults.clone());
        let (mut is_whole, mut last) = (true, Vec::new());
        for ((source, content), before) in self.sources.files.iter().zip(&contents.0).zip(&self.last) {
            let chosen = choose(source, content, before.as_ref());
            match chosen
                .and_then(|chosen| Ok((chosen.map(|chosen| chosen.read(source)).transpose()?, chosen)))
            {
                Ok((layer, chosen)) => {
                    is_whole &= chosen.is_none_or(|chosen| chosen.present);
                    layers.extend(layer);
                    last.push(chosen.map(|chosen| Arc::clone(chosen.bytes)));
                }
                Err(problem) => problems.push(problem),
            }
        }
        if let Some((prefix, variables)) = &self.sources.environment {
            match environment::read(prefix, variables) {
                Ok(layer) => layers.push(layer),
                Err(wrong) => problems.extend(wrong),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut effective = Effective::merge(layers);
        if let Some(before) = before {
            effective = effective.keeping(sections, before);
        }
        self.read(effective, is_whole, last)
    }

    fn read(
        &self,
        effective: Effective,
        is_whole: bool,
        last: Vec<Option<Arc<[u8]>>>,
    ) -> Result<Judged<T>, Vec<Problem>> {
        let secrets = &self.sources.secrets;
        let (value, marks) = reading::read::<T>(&effective, secrets);
        let value = value.map_err(|problem| vec![problem])?;
        let answer = contain(|| self.validate.validate(&value));
        let invalid = match answer {
            Ok(Ok(())) => {
                return Ok(Judged { value, facts: Facts { effective, marks, is_whole }, last });
            }
            Ok(Err(invalid)) => invalid.problems,
            Err(panic) => vec![Problem::new(format!("checking it {panic}"))],
        };
        drop(contain(|| drop(value)));
        let shown = |problem: Problem| {
            let message = without_secrets(problem.message, &effective, secrets, &marks);
            Problem { origin: effective.nearest(&problem.key), key: problem.key, message }
        };
        Err(invalid.into_iter().map(shown).collect())
    }

    /// What the files said when this was judged is what a file that goes missing says from now on.
    pub(crate) fn take(&mut self, last: Vec<Option<Arc<[u8]>>>) {
        self.last = last;
    }
}

impl<T> Judged<T> {
    pub(crate) fn into_parts(self) -> (T, Facts, Vec<Option<Arc<[u8]>>>) {
        (self.value, self.facts, self.last)
    }
}

/// The bytes that count for a file.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    bytes: &'a Arc<[u8]>,
    present: bool,
}

/// Its own, or those it had before it was removed; none for one that never was there and need not be.
fn choose<'a>(
    source: &FileSource,
    content: &'a Content,
    before: Option<&'a Arc<[u8]>>,
) -> Result<Option<Chosen<'a>>, Problem> {
    let wrong = |why: &str| Err(Problem::in_file(&source.path, None, why));
    match (content, before) {
        (Content::Unreadable(why), _) => wrong(why),
        // Who rewrites a file in place empties it first, and may be slow to go on.
        (Content::Bytes(bytes), Some(before)) if bytes.is_empty() && !before.is_empty() => wrong(
            "has become empty, as when a write is not finished; to take everything back, leave a comment in it",
        ),
        (Content::Bytes(bytes), _) => Ok(Some(Chosen { bytes, present: true })),
        (Content::Missing, Some(bytes)) => Ok(Some(Chosen { bytes, present: false })),
        (Content::Missing, None) if source.is_required => wrong("there is no such file"),
        (Content::Missing, None) => Ok(None),
    }
}

impl Chosen<'_> {
    fn read(self, source: &FileSource) -> Result<Layer, Problem> {
        let text = layer::text(self.bytes, &source.path)?;
        let mut layer = match source.format {
            Format::Toml => toml::read(text, &source.path)?,
            Format::Json => json::read(text, &source.path)?,
        };
        layer.kind = Kind::File { present: self.present };
        Ok(layer)
    }
}
