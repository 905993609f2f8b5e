//! One file for each noun that a user builds on connections, against real servers: Redis 7.0, the newest Redis 8 and
//! Valkey 9, each in RESP2 and RESP3.
//!
//! - [`pool`]: who gets which connection, who waits, and what becomes of lost ones;
//! - [`transaction`]: what EXEC does, what it must not do, and what every command is told;
//! - [`pipeline`]: order, errors, and pipelines that are dropped or lost midway;
//! - [`script`]: scripts and libraries of functions on everything they can be called on;
//! - [`cursor`]: everything once, while others write and connections break.

mod cursor;
#[path = "../server/each_server.rs"]
mod each_server;
mod pipeline;
mod pool;
mod script;
mod transaction;

use redis_client::prelude::*;

use self::each_server::Failure;

/// How many clients wait on the server.
async fn blocked_clients(client: &Connection) -> Result<usize, Failure> {
    let info = client.info().section("clients").await?;
    Ok(info.parse("blocked_clients").ok_or("INFO tells it")?)
}

/// Closes all connections but this one, on the server's side.
async fn kill_others(killer: &Connection) -> Result<i64, Error> {
    killer.client_kill_filter().type_(ClientType::Normal).await
}

/// What a new connection would have without the commands that a test is about.
fn what(error: &Error) -> (ErrorKind, Outcome) {
    (error.kind(), error.outcome())
}
