//! A value as serde reads it: it knows its key, and takes what the environment says for the type that is asked for.

use figment::value::{Num, Value};
use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::wrong::Wrong;
use super::{Walk, whole};
use crate::key;
use crate::layer::environment::guess;
use crate::secret::MARK;

pub(super) struct Node<'a> {
    walk: &'a Walk<'a>,
    value: &'a Value,
    key: String,
}

impl<'a> Node<'a> {
    pub(super) fn root(walk: &'a Walk<'a>) -> Self {
        Self { walk, value: &walk.effective.root, key: String::new() }
    }

    /// The text of a variable, which is of no type yet.
    fn untyped(&self) -> Option<&'a str> {
        match self.value {
            Value::String(_, text) if self.walk.effective.is_from_environment(&self.key) => Some(text),
            _ => None,
        }
    }

    fn read_as_it_is<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::String(_, text) => visitor.visit_str(text),
            Value::Char(_, letter) => visitor.visit_char(*letter),
            Value::Bool(_, is) => visitor.visit_bool(*is),
            Value::Empty(..) => visitor.visit_unit(),
            Value::Num(_, number) => match number {
                Num::F32(number) => visitor.visit_f32(*number),
                Num::F64(number) => visitor.visit_f64(*number),
                number => match (whole(*number), number.to_u128()) {
                    (Some(number), _) => match (i64::try_from(number), u64::try_from(number)) {
                        (Ok(number), _) => visitor.visit_i64(number),
                        (_, Ok(number)) => visitor.visit_u64(number),
                        _ => visitor.visit_i128(number),
                    },
                    (None, Some(number)) => visitor.visit_u128(number),
                    (None, None) => visitor.visit_unit(),
                },
            },
            Value::Dict(_, table) => visitor.visit_map(Table {
                walk: self.walk,
                parent: &self.key,
                rest: table.iter(),
                value: None,
            }),
            Value::Array(_, list) => {
                let mut elements =
                    Elements { walk: self.walk, parent: &self.key, rest: list.iter().enumerate() };
                let read = visitor.visit_seq(&mut elements)?;
                match elements.rest.len() {
                    0 => Ok(read),
                    more => {
                        let fewer = format!("{} elements", list.len() - more);
                        Err(serde::de::Error::invalid_length(list.len(), &fewer.as_str()))
                    }
                }
            }
        }
    }

    fn read<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Wrong> {
        let Some(text) = self.untyped() else {
            return self.read_as_it_is(visitor).map_err(|wrong| wrong.at(&self.key));
        };
        let value = guess(text);
        // Its elements stand in no source, so they are of the type that they look like.
        Node { walk: self.walk, value: &value, key: self.key.clone() }
            .read_as_it_is(visitor)
            .map_err(|wrong: Wrong| wrong.at(&self.key))
    }

    fn read_text<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Wrong> {
        match self.untyped() {
            Some(text) => visitor.visit_str(text).map_err(|wrong: Wrong| wrong.at(&self.key)),
            None => self.read(visitor),
        }
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.untyped().map(|text| text.trim().parse()) {
                Some(Ok(value)) => visitor.$visit(value).map_err(|wrong: Wrong| wrong.at(&self.key)),
                Some(Err(_)) => self.read_text(visitor),
                None => self.read(visitor),
            }
        }
    )*};
}

macro_rules! texts {
    ($($method:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            self.read_text(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Wrong;

    parsed!(
        deserialize_bool visit_bool, deserialize_i8 visit_i8, deserialize_i16 visit_i16,
        deserialize_i32 visit_i32, deserialize_i64 visit_i64, deserialize_i128 visit_i128,
        deserialize_u8 visit_u8, deserialize_u16 visit_u16, deserialize_u32 visit_u32,
        deserialize_u64 visit_u64, deserialize_u128 visit_u128, deserialize_f32 visit_f32,
        deserialize_f64 visit_f64
    );
    texts!(
        deserialize_char,
        deserialize_str,
        deserialize_string,
        deserialize_bytes,
        deserialize_byte_buf,
        deserialize_identifier
    );

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.read(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Empty(..) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        if name == MARK {
            self.walk.marks.borrow_mut().secrets.insert(self.key.clone());
        }
        let key = self.key.clone();
        visitor.visit_newtype_struct(self).map_err(|wrong: Wrong| wrong.at(&key))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let read = match self.value {
            Value::String(_, text) => visitor.visit_enum(StrDeserializer::<Wrong>::new(text)),
            Value::Dict(_, table) if table.len() == 1 => match table.iter().next() {
                Some((name, value)) => {
                    let key = key::child(&self.key, name);
                    visitor.visit_enum(Variant { name, node: Node { walk: self.walk, value, key } })
                }
                None => self.read(visitor),
            },
            _ => self.read(visitor),
        };
        read.map_err(|wrong: Wrong| wrong.at(&self.key))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let mut marks = self.walk.marks.borrow_mut();
        marks.ignored.insert(self.key);
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        unit unit_struct seq tuple tuple_struct map struct
    }
}

struct Table<'a, I> {
    walk: &'a Walk<'a>,
    parent: &'a str,
    rest: I,
    value: Option<Node<'a>>,
}

impl<'de, 'a, I: Iterator<Item = (&'a String, &'a Value)>> MapAccess<'de> for Table<'a, I> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        let node = Node { walk: self.walk, value, key: key::child(self.parent, name) };
        let key = seed.deserialize(Name(name)).map(Some);
        // An unknown key is an error about its table, which names it; any other is about the key itself.
        self.value = Some(node);
        key
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        let node = self.value.take();
        let node =
            node.ok_or_else(|| <Wrong as serde::de::Error>::custom("a value was asked for before its key"))?;
        let key = node.key.clone();
        seed.deserialize(node).map_err(|wrong: Wrong| wrong.at(&key))
    }
}

struct Elements<'a, I> {
    walk: &'a Walk<'a>,
    parent: &'a str,
    rest: I,
}

impl<'de, 'a, I: ExactSizeIterator<Item = (usize, &'a Value)>> SeqAccess<'de> for Elements<'a, I> {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        let Some((index, value)) = self.rest.next() else { return Ok(None) };
        let key = key::child(self.parent, &index.to_string());
        let node = Node { walk: self.walk, value, key: key.clone() };
        seed.deserialize(node).map(Some).map_err(|wrong: Wrong| wrong.at(&key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The name of a key, which is a text, or a number where the table is by number.
struct Name<'a>(&'a str);

macro_rules! parsed_names {
    ($($method:ident $visit:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.0.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => visitor.visit_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Name<'_> {
    type Error = Wrong;

    parsed_names!(
        deserialize_bool visit_bool, deserialize_i8 visit_i8, deserialize_i16 visit_i16,
        deserialize_i32 visit_i32, deserialize_i64 visit_i64, deserialize_i128 visit_i128,
        deserialize_u8 visit_u8, deserialize_u16 visit_u16, deserialize_u32 visit_u32,
        deserialize_u64 visit_u64, deserialize_u128 visit_u128
    );

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_enum(StrDeserializer::<Wrong>::new(self.0))
    }

    serde::forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

struct Variant<'a> {
    name: &'a str,
    node: Node<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Wrong;
    type Variant = Node<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Node<'a>), Wrong> {
        let name: StrDeserializer<'_, Wrong> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self.node))
    }
}

impl<'de> VariantAccess<'de> for Node<'_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        serde::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Wrong> {
        let key = self.key.clone();
        seed.deserialize(self).map_err(|wrong: Wrong| wrong.at(&key))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.read(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.read(visitor)
    }
}
