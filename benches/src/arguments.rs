//! What the command line asks of a benchmark: `cargo xtask bench coordinator -- mt2 yields --rounds 5`.

/// Rounds that count, unless the command line says otherwise.
const ROUNDS: usize = 11;

/// Which tables to print, and how thoroughly.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Rounds that count; one more warms up.
    pub rounds: usize,
    /// A table is printed if its title contains all of these.
    pub filters: Vec<String>,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong with them, for the person who typed them.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let (mut rounds, mut filters) = (ROUNDS, Vec::new());
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                // Cargo says this to every benchmark.
                "--bench" => {}
                "--rounds" => {
                    let given = words.next().and_then(|number| number.parse().ok());
                    rounds =
                        given.filter(|&rounds| rounds > 0).ok_or("--rounds needs a number above zero")?;
                }
                option if option.starts_with('-') => {
                    return Err(format!(
                        "unknown option {option}; there are --rounds N and words of a title"
                    ));
                }
                _ => filters.push(word),
            }
        }
        Ok(Self { rounds, filters })
    }

    /// Whether a table with this title is asked for.
    pub fn ask_for(&self, title: &str) -> bool {
        self.filters.iter().all(|filter| title.contains(filter.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn filters_narrow_and_rounds_are_counted() {
        let arguments = parse("--bench mt2 --rounds 3 yields").unwrap();
        assert_eq!(arguments.rounds, 3);
        assert!(arguments.ask_for("coordinator, mt2, yields"));
        assert!(!arguments.ask_for("coordinator, mt2, ready"));
        assert!(parse("").unwrap().ask_for("anything"));
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        for line in ["--rounds", "--rounds none", "--rounds 0", "--quick"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
