//! Configuration that is followed live: parsed, checked and swapped in whole, or not at all.
//!
//! A [`Watched`] value is read from defaults, files, a profile and the environment. When a file changes, the new content is
//! parsed and checked, and everybody who follows a part of it is asked; then all change to one new generation, or nobody
//! does, the last good value stays, and the reason says where and why.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use dayfly::SignalSink;
//! use dayfly_config::{Sources, WatchOptions, Watched};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Settings { orders: Orders }
//! #[derive(Deserialize, PartialEq)]
//! #[serde(deny_unknown_fields)]
//! struct Orders { limit: u32 }
//!
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("relay.toml");
//! # std::fs::write(&file, "[orders]\nlimit = 8")?;
//! let sources = Sources::new().file(&file).env("RELAY"); // RELAY_ORDERS__LIMIT has the last word
//! let settings: Watched<Settings> =
//!     Watched::open(sources, WatchOptions::new(), &SignalSink::default()).await?;
//! assert_eq!(settings.load().orders.limit, 8); // one atomic load
//!
//! std::fs::write(&file, "[orders]\nlimit = 2")?;
//! let changed = settings.changed_since(1).await;
//! assert_eq!((changed.generation(), changed.orders.limit), (2, 2));
//!
//! std::fs::write(&file, "[orders]\nlimit = -1")?;
//! let rejected = settings.reload().await.unwrap_err(); // or wait for the signal `config.rejected`
//! assert!(rejected.to_string().ends_with("relay.toml:2:9: orders.limit: expected u32, found integer `-1`"));
//! assert_eq!(settings.load().orders.limit, 2);
//! # Ok(()) }
//! ```
//!
//! | to | use |
//! |---|---|
//! | read a few fields and let go | [`Watched::load`] |
//! | read at every turn of a loop | [`Watched::reader`] |
//! | keep a value across an await | [`Watched::snapshot`] |
//! | wait for a change | [`Watched::changed_since`], [`Section::changed_since`] |
//! | let a coordinator or anything else that has [`Reconfigure`](dayfly::Reconfigure) follow a section | [`Section::bind`] |
//! | prepare and commit oneself | [`Reload`] with [`Section::subscribe`] |
//! | know where a value comes from | [`Watched::provenance`], [`Watched::report`] |
//! | keep a value out of logs | [`Secret`], [`Sources::secrets`] |
//!
//! # Guarantees
//! - What is in force was parsed, checked and agreed to as a whole. Whatever a file becomes, the last good value stays.
//! - A reader sees one generation, never parts of two, and never an older one than before.
//! - All who follow are asked before anyone is told. When one refuses, nobody changes; when one fails while he is told, those
//!   who were told are told the old value again.
//! - The content decides, events are hints: a rename over the file, a swapped symbolic link, a rewrite in place, a save by an
//!   editor, a folder that is removed and made again are all seen, usually within twice
//!   [`settle`](WatchOptions::settle). What events miss, a slow poll finds.
//! - A content that is equal in its values is no change, whatever its form. A content that was rejected is reported once.
//! - What is wrong is named with file, line, column, key and what was expected there; a key that is unknown with what was
//!   probably meant. Secrets show as `***` in reports, errors and signals.
//! - Futures can be dropped at any await. A check, a follower, a projection or a drop that panics costs the change that it
//!   was asked about and nothing else.
//! - No foreign code runs under a lock of this crate. Following ends with the last handle.
//!
//! # Features
//! - `serde` (off by default): options of the house, [`WatchOptions`] among them, are read from configuration.
//! - `metrics` (off by default): reloads are counted in `dayfly.config.reloads`, by `outcome`.
//!
//! # Limits
//! - Files are TOML or JSON, at most [`max_file_size`](WatchOptions::max_file_size) long.
//!   The environment is read once.
//! - Lists are taken whole; a source cannot change one element. Variables name keys in lower case, without `-`.
//! - A file that is removed keeps what it said last, and so does a section that was asked for with [`Watched::section`]; an
//!   optional file is taken back by leaving nothing but a comment in it. A file that becomes empty is taken for one that is
//!   being written.
//! - While all are told, the first may use the new value before the last does, and before [`Watched::load`] shows it.
//! - Checks and followers run on a thread for blocking work, one change after the other: who hangs there, holds up every
//!   later change. A follower that holds a handle of the configuration it follows keeps it alive.
//! - serde gives up at the first wrong value of a content. What stands in a flattened or untagged part is named by the table
//!   that it is in, and a [`Secret`] there has to be named in [`Sources::secrets`] to be hidden in reports.
//! - Network file systems and systems without watches left send no events: there, a change waits for the poll.
//! - A content that never stands still for [`settle`](WatchOptions::settle) is taken as it is after
//!   [`settle_within`](WatchOptions::settle_within); if a prefix of it is valid, that may be what is taken.
//!
//! # When to use something else
//! - `figment` or `config`, when configuration is read once: they know more formats and sources.
//! - `tokio::sync::watch`, when the values come from the program itself.
//! - A client of a configuration service, when values live on a server.

mod binding;
mod contain;
mod contents;
mod effective;
mod error;
mod feed;
mod folders;
mod follower;
mod hints;
mod judge;
mod key;
mod layer;
mod opening;
mod options;
mod origin;
mod pending;
mod problem;
mod reader;
mod reading;
mod report;
mod secret;
mod section;
mod settle;
mod shared;
mod snapshot;
mod sources;
mod validate;
mod voice;
mod watched;
mod watching;

pub use binding::Binding;
pub use error::{BindError, OpenError, Refusal, ReloadError};
pub use follower::Reload;
pub use options::WatchOptions;
pub use origin::{Origin, Position};
pub use pending::Pending;
pub use problem::{Problem, Rejection};
pub use reader::Reader;
pub use report::{Report, ReportedValue};
pub use secret::Secret;
pub use section::{Section, SectionValue};
pub use snapshot::{Current, Snapshot};
pub use sources::Sources;
pub use validate::{Invalid, Validate};
pub use watched::Watched;
