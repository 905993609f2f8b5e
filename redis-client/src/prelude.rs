//! What most programs need: `use redis_client::prelude::*;`

pub use crate::commands::args::*;
pub use crate::commands::*;
pub use crate::{
    Backlog, Config, Connection, Encoder, Error, ErrorKind, Executor, Gap, Outcome, Pipeline, Pool,
    Protocol, PubSubEvent, Queued, Raw, Request, Script, Subscription, Transaction, Utf8, Value,
    ZLexBoundary, ZScoreBoundary, kind,
};
#[cfg(feature = "json")]
pub use crate::{Json, JsonEncoder};
