//! Commands that redis-client's own table does not have. They come from `commands.json`, and can be called on
//! everything that has commands: connections, pools, pipelines, transactions.
//!
//! ```ignore
//! use redis_client::prelude::*;
//! use redis_user_crate::*;
//!
//! let common = client.zintercard(["friends:ada", "friends:bob"]).limit(10).await?;
//! ```

redis_client::commands!("commands.json");
