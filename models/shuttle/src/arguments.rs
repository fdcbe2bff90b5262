//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

/// What is wanted.
#[derive(Debug)]
pub struct Arguments {
    /// How many schedules of each scenario.
    pub schedules: usize,
    /// What the schedules are drawn from; the same seed gives the same schedules.
    pub seed: u64,
    /// A schedule that failed before.
    pub replay: Option<PathBuf>,
    /// Words of the names that are wanted; all when there are none.
    pub names: Vec<String>,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    /// With a message for a person.
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self { schedules: 10_000, seed: 1, replay: None, names: Vec::new() };
        while let Some(word) = words.next() {
            match &*word {
                "--schedules" => read.schedules = value(&word, words.next())?,
                "--seed" => read.seed = value(&word, words.next())?,
                "--replay" => read.replay = Some(value(&word, words.next())?),
                _ if word.starts_with('-') => return Err(format!("there is no {word}")),
                _ => read.names.push(word),
            }
        }
        Ok(read)
    }

    /// Whether this scenario is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|word| name.contains(&**word))
    }
}

fn value<T: FromStr>(name: &str, word: Option<String>) -> Result<T, String> {
    let word = word.ok_or_else(|| format!("{name} needs a value"))?;
    word.parse().map_err(|_| format!("{name} cannot be {word}"))
}
