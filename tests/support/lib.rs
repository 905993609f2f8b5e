//! Real Redis and Valkey servers for tests and examples.
//!
//! ```ignore
//! for kind in ServerKind::available() {
//!     let server = Server::start(kind);
//!     let client = connect(server.url()).await?;
//! }
//! ```
//!
//! A server is found or fetched ([`ServerKind`] says where), runs on a free port in a folder of its
//! own, and is gone with its folder when its [`Server`] is dropped or the process ends in whatever
//! way. Nothing is installed on the system. A server that cannot be had skips a test on a
//! developer's machine and fails it in CI, see [`Availability`].

mod availability;
mod binary;
mod cache;
mod certs;
mod debian;
mod error;
mod guard;
mod kind;
mod quickstart;
mod release;
mod run;
mod server;
mod wheel;
mod wire;

pub use availability::{Availability, skipped};
pub use certs::Certs;
pub use error::Error;
pub use kind::ServerKind;
pub use quickstart::quickstart_url;
pub use release::{Fork, Version};
pub use server::{Builder, Server};
pub use wire::{Reply, Wire};
