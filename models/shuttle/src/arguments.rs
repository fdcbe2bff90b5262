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

/// What a child process gets.
#[derive(Debug)]
pub struct Alone {
    /// The scenario.
    pub name: String,
    /// Whether the schedules are random; they are chosen by PCT otherwise.
    pub is_random: bool,
    /// What they are drawn from.
    pub seed: u64,
    /// How many.
    pub schedules: usize,
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

impl Alone {
    /// As words, for the child.
    pub fn words(self) -> Vec<String> {
        vec![self.name, self.is_random.to_string(), self.seed.to_string(), self.schedules.to_string()]
    }

    /// From the words that the child got.
    ///
    /// # Errors
    /// With a message for a person.
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        Ok(Self {
            name: value("the scenario", words.next())?,
            is_random: value("the scheduler", words.next())?,
            seed: value("the seed", words.next())?,
            schedules: value("the number of schedules", words.next())?,
        })
    }
}

fn value<T: FromStr>(name: &str, word: Option<String>) -> Result<T, String> {
    let word = word.ok_or_else(|| format!("{name} needs a value"))?;
    word.parse().map_err(|_| format!("{name} cannot be {word}"))
}
