//! A TOML file, with the place of every value.

use std::path::Path;
use std::sync::Arc;

use figment::value::{Dict, Num, Tag, Value};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::{Kind, Layer, Places};
use crate::key;
use crate::problem::Problem;

/// Reads a file's text. The parser bounds how deep tables and lists may stand in each other.
pub(crate) fn read(text: &str, path: &Arc<Path>) -> Result<Layer, Problem> {
    let mut places = Places::of(path, text);
    let table = DeTable::parse(text).map_err(|error| {
        let position = error.span().map(|span| places.lines.position(span.start));
        Problem::in_file(path, position, format!("is no TOML: {}", error.message()))
    })?;
    let values = convert_table(table.get_ref(), "", &mut places)?;
    Ok(Layer { kind: Kind::File { present: true }, values, places: places.noted })
}

/// Reads a value that stands alone, such as `[1, 2]`; none when it is not one.
pub(super) fn value(text: &str) -> Option<Value> {
    let path: Arc<Path> = Arc::from(Path::new(""));
    let mut places = Places::of(&path, text);
    let value = DeValue::parse(text).ok()?;
    convert(&value, "", &mut places).ok()
}

fn convert_table(table: &DeTable<'_>, parent: &str, places: &mut Places<'_>) -> Result<Dict, Problem> {
    let mut values = Dict::new();
    for (name, value) in table {
        let key = key::child(parent, name.get_ref());
        places.note(&key, Some(name.span().start), value.span().start);
        values.insert(name.get_ref().clone().into_owned(), convert(value, &key, places)?);
    }
    Ok(values)
}

fn convert(value: &Spanned<DeValue<'_>>, key: &str, places: &mut Places<'_>) -> Result<Value, Problem> {
    let tag = Tag::Default;
    Ok(match value.get_ref() {
        DeValue::String(text) => Value::String(tag, text.clone().into_owned()),
        DeValue::Boolean(is) => Value::Bool(tag, *is),
        DeValue::Datetime(time) => Value::String(tag, time.to_string()),
        DeValue::Integer(digits) => {
            let number = integer(digits).ok_or_else(|| wrong(value, key, places, "integer"))?;
            Value::Num(tag, number)
        }
        DeValue::Float(digits) => {
            let number = digits.as_str().parse().map_err(|_| wrong(value, key, places, "float"))?;
            Value::Num(tag, Num::F64(number))
        }
        DeValue::Table(table) => Value::Dict(tag, convert_table(table, key, places)?),
        DeValue::Array(list) => {
            let mut values = Vec::new();
            for (index, value) in list.iter().enumerate() {
                let key = key::child(key, &index.to_string());
                places.note(&key, None, value.span().start);
                values.push(convert(value, &key, places)?);
            }
            Value::Array(tag, values)
        }
    })
}

fn integer(digits: &DeInteger<'_>) -> Option<Num> {
    let (text, radix) = (digits.as_str(), digits.radix());
    let signed = i64::from_str_radix(text, radix).ok().map(Num::I64);
    signed.or_else(|| u64::from_str_radix(text, radix).ok().map(Num::U64))
}

fn wrong(value: &Spanned<DeValue<'_>>, key: &str, places: &Places<'_>, what: &str) -> Problem {
    let position = places.lines.position(value.span().start);
    Problem::in_file(places.path, Some(position), format!("is no {what} of 64 bits")).at(key)
}

#[cfg(test)]
mod tests {
    use crate::layer::read_for_test;

    #[test]
    fn what_is_no_toml_is_shown_where_it_begins_without_what_stands_there() {
        let wrong = |text: &str| read_for_test("a.toml", text).unwrap_err().to_string();
        assert!(wrong("a = 1\nb = \n").starts_with("a.toml:2:5: is no TOML: "), "{}", wrong("a = 1\nb = \n"));
        assert!(wrong("a = 1\na = 2\n").starts_with("a.toml:2:1: is no TOML: duplicate key"));
        assert!(!wrong("token = \"hunter2\nb = 1").contains("hunter2"));
        assert_eq!(wrong("a = 99999999999999999999"), "a.toml:1:5: a: is no integer of 64 bits");
    }

    #[test]
    fn depth_is_bounded() {
        for deep in [
            format!("a = {}{}", "[".repeat(50_000), "]".repeat(50_000)),
            format!("{}a = 1", "a.".repeat(50_000)),
            format!("[{}a]", "a.".repeat(50_000)),
            format!("a = {}1{}", "{a = ".repeat(50_000), "}".repeat(50_000)),
        ] {
            let problem = read_for_test("a.toml", &deep).unwrap_err();
            let message = problem.message();
            assert!(message.contains("recursion") && message.len() < 100, "{problem}");
        }
    }
}
