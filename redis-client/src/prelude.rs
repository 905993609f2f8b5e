//! What most programs need: `use redis_client::prelude::*;`

pub use crate::commands::args::*;
pub use crate::commands::*;
pub use crate::{
    Config, Connection, Encoder, Error, ErrorKind, Executor, Json, JsonEncoder, Outcome, Protocol,
    Raw, Request, Utf8, Value, ZLexBoundary, ZScoreBoundary, kind,
};
