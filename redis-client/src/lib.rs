//! A typed, asynchronous client for Redis and Valkey.
//!
//! ```no_run
//! use redis_client::prelude::*;
//!
//! # async fn example() -> redis_client::Result<()> {
//! let client = Pool::connect("redis://localhost").await?;
//!
//! client.set("key", "value").expire(60).only_if_not_exists().await?;
//! let value = client.get("key").await?; // Option<String>: the command decides, not the call site
//!
//! client.zadd("board", [("ada", 36.5), ("bob", 12.0)]).await?;
//! let mut scores = client.zrange("board").start(0).stop(9).await?;
//! while let Some(entry) = scores.next().await { // a large reply is handed out while it arrives
//!     let (member, score) = entry?;
//!     println!("{member}: {score}");
//! }
//!
//! let raw = client.with_encoder(Raw); // the same connections, bytes in and out
//! raw.set("blob", b"\xff\x00").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Behaviour
//!
//! - A command method returns a [`Call`], the future of its reply. **Nothing is sent before it is first
//!   polled**; options are chained before `.await`.
//! - A [`Pool`] is the recommended way in; a [`Connection`] is one socket. Calls of any number of tasks are
//!   pipelined by themselves: what comes while a write is under way leaves in the next one.
//! - **Dropping a call is always safe**; what it means for the command is in the table in [`Connection`]'s
//!   documentation.
//! - **Every error knows its [outcome](Error::outcome)**: not sent, rejected, or unknown. What was not sent is
//!   sent again after a reconnect; what may have been executed only if that does no harm.
//! - The same command gives the same value in RESP2 and RESP3.
//!
//! # Types
//!
//! Strings go through the client's [`Encoder`]: [`Utf8`] (the default) gives [`String`], [`Raw`] gives
//! `Bytes`, `JsonEncoder<T>` (feature `json`) gives a serde type, and you can write your own. [`Request::decode`] overrides
//! the reply's kind for one call.
//!
//! # Layout
//!
//! In the order in which a command travels:
//!
//! - [`mod@commands`]: the generated traits, one for each group of commands, from `commands.json`;
//! - `arg`, `command`: arguments, with their types erased; the command that they make;
//! - `call`: [`Call`], the future; [`Executor`], what commands can be called on;
//! - `connection`: `core`, the state machine without I/O; `driver`, which moves the bytes; [`Connection`],
//!   the handle;
//! - `connect`, `config`, `tls`: from a URL to a socket after its handshake;
//! - [`resp`]: where a frame ends, and how its elements are read;
//! - `reply`, [`kind`]: the types of replies, and how each is decoded;
//! - `encoder`, `json`, `error`: native types; errors and outcomes;
//! - `pool`, `pipeline`, `transaction`, `pubsub`, `script`, `cursor`: one noun each; `batch` and `source` are what
//!   pipelines and transactions have in common.

#![cfg_attr(
    not(test),
    warn(clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]
#![warn(missing_docs)]

mod arg;
mod batch;
mod call;
mod client;
mod command;
pub mod commands;
mod config;
mod connect;
mod connection;
mod cursor;
mod encoder;
mod error;
mod example;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "json")]
mod json;
mod pipeline;
mod pool;
pub mod prelude;
mod pubsub;
mod reply;
pub mod resp;
mod script;
mod source;
#[cfg(feature = "tls")]
mod tls;
mod transaction;

#[doc(inline)]
pub use bytes;

pub use arg::{
    Arg, Timeout, ToArg, ToDouble, ToInteger, ToPair, ToTimeout, ZLexBoundary, ZScoreBoundary,
};
pub use batch::Queued;
pub use call::{Call, CustomCall, Executor, Request};
pub use command::{Command, Flags, Fragment, Need, Since, Spec};
pub use commands::*;
pub use config::{Config, Protocol, ReconnectPolicy};
pub use connection::{Connection, ConnectionEvent, ConnectionEvents, Ticket};
pub use cursor::{Cursor, DictCursor, SetCursor, ZCursor};
pub use encoder::{Encoder, Raw, TakesText, Utf8};
pub use error::{Error, ErrorKind, Outcome, Result};
pub use example::{Example, ExampleRun};
#[cfg(feature = "json")]
pub use json::{Json, JsonEncoder};
pub use pipeline::Pipeline;
pub use pool::{Pool, PoolBuilder, PoolStats};
pub use pubsub::{Backlog, Gap, PubSubEvent, PubSubReply, StartSubscribe, Subscription};
pub use reply::kind;
pub use reply::{
    BlockingPopReply, BulkReader, ClientInfo, ClientListReply, ConfigPairReply, DictReply,
    EvalScriptReply, InfoReply, ListReply, Reply, ReplyKind, ScanPart, SetReply, StatusReply,
    StreamHead, Streaming, ZRangeReply,
};
pub use resp::{Blob, DecodeError, Decoder, ReplyLimits, Shape, Value};
pub use script::{Library, Script};
#[cfg(feature = "tls")]
pub use tls::Tls;
pub use transaction::{Multi, Optimistic, Queue, Transaction, Watch};

/// Generates command methods from a table: `redis_client::commands!("commands.json")`, the path relative
/// to the crate's `Cargo.toml`. Each group of the table becomes an extension trait for everything that
/// commands can be called on, with the same powers as the built-in commands.
#[macro_export]
macro_rules! commands {
    ($path:literal) => {
        $crate::__private::commands! { $crate $path }
    };
}

/// The examples of a table as a list of [`Example`]s, to run them in a test:
/// `redis_client::examples!("commands.json")`.
#[macro_export]
macro_rules! examples {
    ($path:literal) => {
        $crate::__private::examples! { $crate $path }
    };
}

#[doc(hidden)]
pub mod __private {
    pub use bytes::Bytes;
    pub use redis_macros::{commands, examples};

    pub use crate::arg::*;
    pub use crate::call::*;
    pub use crate::command::*;
    pub use crate::encoder::*;
    pub use crate::error::Result;
    pub use crate::example::Example;
    pub use crate::reply::kind;
    pub use crate::reply::*;
    pub use crate::resp::{Blob, DecodeError, Decoder, Entries, Fields, Shape, Value};
}

/// The README's example is compiled with the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
