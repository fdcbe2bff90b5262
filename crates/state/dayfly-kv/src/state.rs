//! Types that say where they live.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::Upcasts;

/// A type whose values are kept: it declares the entity under which they live, its version, and how older values are
/// brought up to that.
///
/// ```
/// use dayfly_kv::{State, Upcasts};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Order {
///     total: u64,
///     currency: String,
/// }
///
/// impl State for Order {
///     const ENTITY: &'static str = "order";
///     const VERSION: u32 = 2;
///
///     fn upcasts() -> Upcasts {
///         Upcasts::new().from(1, |mut order| {
///             order["currency"] = "EUR".into();
///             Ok(order)
///         })
///     }
/// }
/// ```
pub trait State: Serialize + DeserializeOwned + 'static {
    /// The entity under which its values live. It outlives the type's name.
    const ENTITY: &'static str;

    /// The version of what it writes. It grows whenever older programs, or this one, could not read older values.
    const VERSION: u32 = 1;

    /// What brings older values up to date: for each version but the newest, one function.
    fn upcasts() -> Upcasts {
        Upcasts::new()
    }
}
