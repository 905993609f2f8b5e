use std::future::Future;
use std::pin::Pin;

use crate::command::Since;
use crate::connection::Connection;
use crate::error::Result;

/// An example of a table, ready to be run against a server. [`examples!`](crate::examples) makes them.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The command, as on the wire: `CONFIG GET`.
    pub command: &'static str,
    /// The method that the example shows.
    pub method: &'static str,
    /// The first versions that can run it.
    pub since: Since,
    /// It needs a server of its own: it stops it, or cuts connections.
    pub own_server: bool,
    /// Runs it on an empty database, with a second connection for examples that need one. It panics
    /// where a reply is not as the example says.
    pub run: for<'c> fn(&'c Connection, &'c Connection) -> ExampleRun<'c>,
}

/// An example that is being run.
pub type ExampleRun<'c> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'c>>;
