//! What a configuration is made of.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dayfly_signal::PatternSet;
use serde::Serialize;

use crate::layer::environment::{Variables, with_prefix};
use crate::layer::{Layer, defaults};
use crate::problem::Problem;

/// What a configuration is made of. A later source has the last word over an earlier one, whatever the order in which
/// they are named here:
///
/// | | source | |
/// |---|---|---|
/// | 1 | [`defaults`](Self::defaults) | a value of the program |
/// | 2 | [`file`](Self::file), [`optional_file`](Self::optional_file) | TOML or JSON by their ending, in the order given |
/// | 3 | [`profile`](Self::profile) | for `app.toml` and the profile `test`, the file `app.test.toml`, if there is one |
/// | 4 | [`env`](Self::env) | `APP_ORDERS__MAX_CONCURRENCY` says `orders.max_concurrency` |
///
/// Tables are merged key by key, everything else is taken whole, lists included.
///
/// What is wrong with a source is an error when it is opened, not here.
///
/// ```
/// use dayfly_config::Sources;
///
/// let sources = Sources::new().file("relay.toml").profile("production").env("RELAY").secrets("*.signing_key");
/// ```
#[derive(Clone, Default)]
pub struct Sources {
    pub(crate) defaults: Option<Layer>,
    pub(crate) files: Vec<FileSource>,
    profile: Option<String>,
    pub(crate) environment: Option<(String, Variables)>,
    pub(crate) secrets: PatternSet,
    wrong: Vec<Problem>,
}

/// A file among the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSource {
    pub(crate) path: Arc<Path>,
    pub(crate) format: Format,
    pub(crate) is_required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Toml,
    Json,
}

impl Sources {
    /// No source at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins with the values of `defaults`; they show in reports then. A second call takes the place of the first.
    #[must_use]
    pub fn defaults(mut self, defaults: &impl Serialize) -> Self {
        match defaults::read(defaults) {
            Ok(layer) => self.defaults = Some(layer),
            Err(problem) => self.wrong.push(problem),
        }
        self
    }

    /// Adds a file that has to be there at the start. Its ending says what it is: `.toml` or `.json`.
    #[must_use]
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        self.with_file(path.into(), true)
    }

    /// Adds a file that need not be there. When it comes it counts, and from then on as any other: when it is removed,
    /// what it said last stays. To take it back, leave the file there with nothing but a comment in it.
    #[must_use]
    pub fn optional_file(self, path: impl Into<PathBuf>) -> Self {
        self.with_file(path.into(), false)
    }

    /// Adds an optional file beside each of the others, whatever their order here: `app.test.toml` beside `app.toml` for
    /// the profile `test`.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Uses no profile.
    #[must_use]
    pub fn without_profile(mut self) -> Self {
        self.profile = None;
        self
    }

    /// Adds the variables of the process's environment whose names begin with `prefix` and an underscore, in whatever
    /// case. The rest of the name is the key, in lower case, with `__` between its names. They are read now, and once.
    ///
    /// A value takes the type that is asked for, so a text needs no quotes; lists and tables are written as in TOML:
    /// `["a", "b"]`.
    #[must_use]
    pub fn env(self, prefix: impl Into<String>) -> Self {
        self.env_from(prefix, std::env::vars_os())
    }

    /// As [`env`](Self::env), from these variables instead of the process's.
    #[must_use]
    pub fn env_from<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        prefix: impl Into<String>,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let prefix = prefix.into();
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        let variables = with_prefix(&prefix, variables);
        self.environment = Some((prefix, variables));
        self
    }

    /// Hides what stands under these keys in every report and error, as [`Secret`](crate::Secret) does by type:
    /// `bank.pin, *.signing_key`. Keys that end with `password`, `passphrase`, `secret`, `token`, `api_key`, `private_key`
    /// or `credentials` are hidden anyway.
    #[must_use]
    pub fn secrets(mut self, keys: impl Into<PatternSet>) -> Self {
        self.secrets = self.secrets.and(keys);
        self
    }

    fn with_file(mut self, path: PathBuf, is_required: bool) -> Self {
        let path: Arc<Path> = Arc::from(path);
        match format(&path) {
            Some(format) => self.files.push(FileSource { path, format, is_required }),
            None => self.wrong.push(Problem::in_file(&path, None, "is neither `.toml` nor `.json`")),
        }
        self
    }

    /// Every file, the overlays of the profile last.
    ///
    /// # Errors
    /// When something about the sources themselves is wrong.
    pub(crate) fn resolved(mut self) -> Result<Self, Vec<Problem>> {
        let mut wrong = std::mem::take(&mut self.wrong);
        if let Some(profile) = self.profile.take() {
            let is_name =
                !profile.is_empty() && !profile.contains(['/', '\\', '\0']) && !profile.contains("..");
            if is_name {
                let overlays = self.files.iter().map(|file| file.overlay(&profile)).collect::<Vec<_>>();
                self.files.extend(overlays);
            } else {
                wrong.push(Problem::new(format!("the profile {profile:?} is no part of a file's name")));
            }
        }
        for (at, file) in self.files.iter().enumerate() {
            if self.files[..at].iter().any(|other| other.path == file.path) {
                wrong.push(Problem::in_file(&file.path, None, "stands among the sources twice"));
            }
        }
        if wrong.is_empty() { Ok(self) } else { Err(wrong) }
    }
}

impl FileSource {
    fn overlay(&self, profile: &str) -> Self {
        let ending = if self.format == Format::Toml { "toml" } else { "json" };
        let path = Arc::from(self.path.with_extension(format!("{profile}.{ending}")));
        Self { path, format: self.format, is_required: false }
    }
}

fn format(path: &Path) -> Option<Format> {
    let ending = path.extension()?.to_str()?;
    match () {
        () if ending.eq_ignore_ascii_case("toml") => Some(Format::Toml),
        () if ending.eq_ignore_ascii_case("json") => Some(Format::Json),
        () => None,
    }
}

// Values of variables and defaults may be secrets.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<&Path> = self.files.iter().map(|file| &*file.path).collect();
        let variables = self.environment.as_ref().map(|(_, variables)| variables.keys().collect::<Vec<_>>());
        f.debug_struct("Sources")
            .field("defaults", &self.defaults.is_some())
            .field("files", &files)
            .field("profile", &self.profile)
            .field("variables", &variables.unwrap_or_default())
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlays_of_a_profile_come_after_every_file_and_need_not_be_there() {
        let sources =
            Sources::new().profile("test").file("a.toml").optional_file("b.v2.JSON").resolved().unwrap();
        let files: Vec<_> =
            sources.files.iter().map(|file| (file.path.to_str().unwrap(), file.is_required)).collect();
        let expected =
            [("a.toml", true), ("b.v2.JSON", false), ("a.test.toml", false), ("b.v2.test.json", false)];
        assert_eq!(files, expected);
    }

    #[test]
    fn what_is_wrong_with_sources_is_said_when_they_are_used() {
        let wrong = |sources: Sources| sources.resolved().unwrap_err()[0].to_string();
        assert_eq!(wrong(Sources::new().file("a.yaml")), "a.yaml: is neither `.toml` nor `.json`");
        assert_eq!(
            wrong(Sources::new().file("a.toml").file("a.toml")),
            "a.toml: stands among the sources twice"
        );
        for profile in ["", "../etc", "a/b", "a\\b"] {
            assert!(wrong(Sources::new().profile(profile)).contains("is no part of a file's name"));
        }
        assert_eq!(wrong(Sources::new().defaults(&7)), "defaults: expected a table");
    }

    #[test]
    fn what_sources_print_has_no_values_in_it() {
        let sources = Sources::new().env_from("APP", [("APP_X", "hunter2")]);
        let shown = format!("{sources:?}");
        assert!(shown.contains("APP_X") && !shown.contains("hunter2"), "{shown}");
    }
}
