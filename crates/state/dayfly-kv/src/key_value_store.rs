//! A store of values.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Codec, Json};
use crate::entry::Entry;
use crate::etag::Etag;
use crate::key::{Key, Prefix};
use crate::key_text::{FromKey, ToKey};
use crate::precondition::Precondition;
use crate::put::PutOptions;
use crate::scan::Scan;
use crate::state::State;
use crate::store::Store;
use crate::update_options::UpdateOptions;
use crate::watch::{Watch, WatchFrom};

mod error;
mod settle;
mod update;

pub use error::{ListError, LoadError, RemoveError, RequireError, SaveError, UpdateError};

/// A store of values: [`Store`] with keys and values of your types.
///
/// Values are JSON with a version ([`Json`]) unless a [`Codec`] of yours writes them. A clone is another handle to the
/// same store.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use dayfly_kv::{KeyValueStore, MemoryStore, Namespace};
///
/// let store = Arc::new(MemoryStore::new(Namespace::new("acme", "web", "visits")?));
/// let visits = KeyValueStore::<String, u64>::json(store);
/// let home = visits.update("home", |visits| visits.unwrap_or(0) + 1).await?;
/// assert_eq!(home.value, 1);
/// assert_eq!(visits.get("home").await?.unwrap().etag, home.etag);
/// # Ok(()) }
/// ```
pub struct KeyValueStore<K, V> {
    store: Arc<dyn Store>,
    codec: Arc<dyn Codec<V>>,
    updates: UpdateOptions,
    keys: PhantomData<fn(K) -> K>,
}

/// A value as it was found, and what tells this write of it from every other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored<V> {
    /// The value.
    pub value: V,
    /// The etag of the write that left it so.
    pub etag: Etag,
}

/// Some of the values that were asked for, in the order of the bytes of their keys.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listed<K, V> {
    /// The values.
    pub values: Vec<(K, Stored<V>)>,
    /// Entries that are no such values, each with the reason. The others are listed.
    pub failed: Vec<(Option<Key>, LoadError)>,
    /// After which key to go on; `None` when this was the last page.
    pub next: Option<Key>,
}

impl<K, V> KeyValueStore<K, V> {
    /// Values as JSON, of version 1.
    pub fn json(store: Arc<dyn Store>) -> Self
    where
        V: Serialize + DeserializeOwned + 'static,
    {
        Self::with_codec(store, Json::new())
    }

    /// Values as JSON, of the version that their type declares, older ones brought up to it.
    pub fn of_state(store: Arc<dyn Store>) -> Self
    where
        V: State,
    {
        Self::with_codec(store, Json::versioned(V::VERSION, V::upcasts()))
    }

    /// Values as this codec writes them.
    pub fn with_codec(store: Arc<dyn Store>, codec: impl Codec<V> + 'static) -> Self {
        Self { store, codec: Arc::new(codec), updates: UpdateOptions::new(), keys: PhantomData }
    }

    /// The same store, whose updates are tried as these options say.
    #[must_use]
    pub fn updates(mut self, options: UpdateOptions) -> Self {
        self.updates = options;
        self
    }

    /// The store of bytes beneath.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The value of this key, if there is one.
    ///
    /// # Errors
    /// When there is no such key, when what is there cannot be read or is no such value, or when the store cannot look.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    pub async fn get<Q: ToKey + ?Sized>(&self, key: &Q) -> Result<Option<Stored<V>>, LoadError>
    where
        K: Borrow<Q>,
    {
        let key = key.to_key()?;
        self.store.get(&key).await?.map(|entry| self.decode(&key, &entry)).transpose()
    }

    /// The value of this key, which has to be there.
    ///
    /// # Errors
    /// When it is not there, with its key; else as for [`get`](Self::get).
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    pub async fn get_required<Q: ToKey + ?Sized>(&self, key: &Q) -> Result<Stored<V>, RequireError>
    where
        K: Borrow<Q>,
    {
        match self.get(key).await? {
            Some(found) => Ok(found),
            None => Err(RequireError::Missing { key: key.to_key().map_err(LoadError::from)? }),
        }
    }

    /// The values of these keys, each at its key's place, with empty places where there is none. It is no snapshot: each
    /// is read by itself.
    ///
    /// # Errors
    /// As for [`get`](Self::get), with the first that failed.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    pub async fn get_many<Q: ToKey>(
        &self,
        keys: impl IntoIterator<Item = Q>,
    ) -> Result<Vec<Option<Stored<V>>>, LoadError> {
        let keys = keys.into_iter().map(|key| key.to_key()).collect::<Result<Vec<Key>, _>>()?;
        let found = self.store.get_many(&keys).await?;
        let values = keys.iter().zip(found);
        values.map(|(key, entry)| entry.map(|entry| self.decode(key, &entry)).transpose()).collect()
    }

    /// Whether there is a value of this key.
    ///
    /// # Errors
    /// When there is no such key, when what is there cannot be read, or when the store cannot look.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    pub async fn contains<Q: ToKey + ?Sized>(&self, key: &Q) -> Result<bool, LoadError>
    where
        K: Borrow<Q>,
    {
        Ok(self.store.contains(&key.to_key()?).await?)
    }

    /// Writes a value, and gives its etag.
    ///
    /// # Errors
    /// When there is no such key, when the value cannot be encoded, and as for [`Store::put`].
    ///
    /// # Cancel safety
    /// Dropped, the write happened as a whole, may yet happen, or never will.
    pub async fn put<Q: ToKey + ?Sized>(
        &self,
        key: &Q,
        value: &V,
        options: PutOptions,
    ) -> Result<Etag, SaveError>
    where
        K: Borrow<Q>,
    {
        let (key, bytes) = (key.to_key()?, self.codec.encode(value)?);
        Ok(self.store.put(&key, bytes, options).await?)
    }

    /// Deletes a value; says whether there was one.
    ///
    /// # Errors
    /// When there is no such key, and as for [`Store::delete`].
    ///
    /// # Cancel safety
    /// Dropped, the deletion happened as a whole, may yet happen, or never will.
    pub async fn delete<Q: ToKey + ?Sized>(
        &self,
        key: &Q,
        precondition: Precondition,
    ) -> Result<bool, RemoveError>
    where
        K: Borrow<Q>,
    {
        Ok(self.store.delete(&key.to_key()?, precondition).await?)
    }

    /// A page of values in the order of the bytes of their keys. Entries that cannot be read as values do not keep the
    /// others from being listed.
    ///
    /// # Errors
    /// When the store cannot list, or cannot look.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    pub async fn scan(&self, scan: &Scan) -> Result<Listed<K, V>, ListError>
    where
        K: FromKey,
    {
        let page = self.store.scan(scan).await?;
        let mut listed = Listed { values: Vec::new(), failed: Vec::new(), next: page.next };
        listed.failed.extend(page.corrupt.into_iter().map(|corrupt| (corrupt.key.clone(), corrupt.into())));
        for (key, entry) in page.entries {
            let found = K::from_key(&key).ok_or_else(|| LoadError::ForeignKey { key: key.clone() });
            match found.and_then(|own| Ok((own, self.decode(&key, &entry)?))) {
                Ok(value) => listed.values.push(value),
                Err(error) => listed.failed.push((Some(key), error)),
            }
        }
        Ok(listed)
    }

    /// Tells of changes of the keys whose text begins with this, from there on.
    ///
    /// # Errors
    /// When no key begins like this, when the store cannot watch, or cannot from there on.
    ///
    /// # Cancel safety
    /// Nothing is lost: a watch that nobody got tells nobody.
    pub async fn watch(&self, prefix: &str, from: WatchFrom) -> Result<Watch, ListError> {
        Ok(self.store.watch(&Prefix::new(prefix)?, from).await?)
    }

    fn decode(&self, key: &Key, entry: &Entry) -> Result<Stored<V>, LoadError> {
        let value = self.codec.decode(&entry.value);
        let value = value.map_err(|source| LoadError::Undecodable { key: key.clone(), source })?;
        Ok(Stored { value, etag: entry.etag.clone() })
    }
}

impl<K, V> Clone for KeyValueStore<K, V> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            codec: Arc::clone(&self.codec),
            updates: self.updates.clone(),
            keys: PhantomData,
        }
    }
}

impl<K, V> fmt::Debug for KeyValueStore<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = &mut f.debug_struct("KeyValueStore");
        store.field("store", &self.store).field("updates", &self.updates).finish_non_exhaustive()
    }
}
