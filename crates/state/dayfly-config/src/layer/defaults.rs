//! The defaults that a program brings as a value.

use figment::value::Value;
use serde::Serialize;

use super::{Kind, Layer, Place, for_each_value, json};
use crate::contain::contain;
use crate::origin::Origin;
use crate::problem::Problem;
use crate::secret::exposed;

pub(crate) fn read(defaults: &impl Serialize) -> Result<Layer, Problem> {
    let wrong = |why: String| Problem::new(why).with_origin(Some(Origin::Defaults));
    let value = contain(|| exposed(|| value(defaults))).map_err(wrong)?.map_err(wrong)?;
    let mut layer = Layer::empty(Kind::Defaults);
    for_each_value(&value, "", &mut |key, _| {
        layer.places.insert(key.to_owned(), Place::of(Origin::Defaults));
    });
    layer.places.remove("");
    let Value::Dict(_, values) = value else { return Err(wrong("expected a table".to_owned())) };
    layer.values = values;
    Ok(layer)
}

/// Figment knows numbers that are none, JSON knows keys that are no texts.
fn value(defaults: &impl Serialize) -> Result<Value, String> {
    if let Ok(value) = Value::serialize(defaults) {
        return Ok(value);
    }
    let value = serde_json::to_value(defaults).map_err(|error| error.to_string())?;
    json::from_value(value).map_err(|error| error.to_string())
}
