//! The client against real servers: Redis 7.0, the newest Redis 8 and Valkey 9, each in RESP2 and RESP3.
//!
//! - [`each_server`]: runs one test on all of them;
//! - [`examples`]: every example of the command table;
//! - [`seed`]: what asyncio_redis' own tests cover, one file for each of their subjects;
//! - [`transport`]: unix sockets, TLS, URLs, and what errors of connecting say;
//! - [`cancel`]: many calls at once, and calls that are dropped;
//! - [`lost`]: lost connections, and servers that end or fall silent.
//!
//! What needs a process of its own is beside this folder: `memory.rs` and `allocations.rs`.

mod cancel;
mod each_server;
mod examples;
mod lost;
mod seed;
mod transport;
