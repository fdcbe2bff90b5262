//! The defaults that a program brings as a value.

use figment::value::Value;
use serde::Serialize;

use super::{Kind, Layer, Place, for_each_value};
use crate::contain::contain;
use crate::origin::Origin;
use crate::problem::Problem;
use crate::secret::exposed;

pub(crate) fn read(defaults: &impl Serialize) -> Result<Layer, Problem> {
    let wrong = |why: String| Problem::new(why).from_origin(Some(Origin::Defaults));
    let value = contain(|| exposed(|| Value::serialize(defaults))).map_err(wrong)?;
    let value = value.map_err(|error| wrong(error.to_string()))?;
    let mut layer = Layer::empty(Kind::Defaults);
    for_each_value(&value, "", &mut |key, _| {
        layer.places.insert(key.to_owned(), Place::of(Origin::Defaults));
    });
    layer.places.remove("");
    let Value::Dict(_, values) = value else { return Err(wrong("expected a table".to_owned())) };
    layer.values = values;
    Ok(layer)
}
