//! Places as configuration writes them.

use dayfly_signal::setting::Table;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Place;
use crate::namespace::Namespace;

/// Serde checks that these are the fields of [`Place`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "Place", default = "Place::new", deny_unknown_fields)]
struct Form {
    database: Option<String>,
    container: Option<String>,
    entity: Option<String>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] Place);

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let Table(Formed(place)) = Table::deserialize(input)?;
        // What is said has to be a part of a namespace; what is not said can be anything that is one.
        let said = |part: &Option<String>| part.clone().unwrap_or_else(|| "any".to_owned());
        Namespace::new(said(&place.database), said(&place.container), said(&place.entity))
            .map_err(D::Error::custom)?;
        Ok(place)
    }
}
