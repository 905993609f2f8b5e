//! Scripts and function libraries, which load themselves where the server does not know them (any more).

use crate::arg::{Arg, ToArg};
use crate::call::{Call, Executor, Request};
use crate::client::AnyClient;
use crate::commands::ScriptingCommands;
use crate::connection::owned;
use crate::encoder::{Encoder, Utf8};
use crate::error::{Error, Result};
use crate::reply::{EvalScriptReply, kind};

/// A Lua script: [`register_script`](crate::Connection::register_script) gives one.
///
/// It is called by its digest. A server that does not know it (any more) is sent the code.
///
/// ```no_run
/// use redis_client::prelude::*;
///
/// # async fn example(client: Connection) -> redis_client::Result<()> {
/// let multiply = client.register_script("return redis.call('GET', KEYS[1]) * ARGV[1]").await?;
/// client.set("my_key", 2).await?;
/// let reply = multiply.run(["my_key"], [5]).await?;
/// assert_eq!(reply.integer()?, 10);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Script<E: Encoder = Utf8> {
    client: AnyClient<E>,
    sha: String,
    code: String,
}

impl<E: Encoder> Script<E> {
    pub(crate) async fn register(client: AnyClient<E>, code: &str) -> Result<Self> {
        let sha = client.script_load(code).await?;
        Ok(Self {
            client,
            sha,
            code: code.to_owned(),
        })
    }

    /// The SHA1 digest, in hexadecimal digits.
    pub fn sha(&self) -> &str {
        &self.sha
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Runs the script. For no keys or arguments pass `[""; 0]`.
    ///
    /// # Errors
    ///
    /// [`ScriptKilled`](crate::ErrorKind::ScriptKilled) when somebody killed it, and what it raises itself as
    /// [`Server`](crate::ErrorKind::Server).
    pub async fn run<'a>(
        &self,
        keys: impl IntoIterator<Item = impl ToArg<'a, E>>,
        args: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Result<EvalScriptReply<E>> {
        let (keys, args) = (
            owned(keys, self.client.encoder()),
            owned(args, self.client.encoder()),
        );
        let (keys, args) = (borrowed(&keys), borrowed(&args));
        let evalsha = self
            .client
            .evalsha(&self.sha)
            .keys(keys.clone())
            .args(args.clone());
        match evalsha.await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                self.client.eval(&self.code).keys(keys).args(args).await
            }
            reply => reply,
        }
    }

    /// The call of the script on something else: a pipeline, a transaction. It sends the code, because
    /// nothing could be repeated there if the server did not know it.
    pub fn call_on<'a, X: Executor<Encoder = E>>(
        &'a self,
        executor: &'a X,
        keys: impl IntoIterator<Item = impl ToArg<'a, E>>,
        args: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Call<'a, X, kind::EvalScriptReply> {
        let encoder = executor.encoder();
        let keys = keys.into_iter().map(|key| key.to_arg(encoder));
        let args = args.into_iter().map(|arg| arg.to_arg(encoder));
        executor.eval(&self.code).keys(keys).args(args).into_call()
    }
}

/// A library of functions (Redis and Valkey 7.0): [`register_library`](crate::Connection::register_library)
/// gives one. A server that has lost it is sent the code again.
#[derive(Debug, Clone)]
pub struct Library<E: Encoder = Utf8> {
    client: AnyClient<E>,
    name: String,
    code: String,
}

impl<E: Encoder> Library<E> {
    pub(crate) async fn register(client: AnyClient<E>, code: &str) -> Result<Self> {
        let name = client.function_load(code).replace().await?;
        Ok(Self {
            client,
            name,
            code: code.to_owned(),
        })
    }

    /// The library's name, from the first line of its code.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Calls one of its functions. For no keys or arguments pass `[""; 0]`.
    ///
    /// # Errors
    ///
    /// As [`Script::run`].
    pub async fn call<'a>(
        &self,
        function: &str,
        keys: impl IntoIterator<Item = impl ToArg<'a, E>>,
        args: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Result<EvalScriptReply<E>> {
        let (keys, args) = (
            owned(keys, self.client.encoder()),
            owned(args, self.client.encoder()),
        );
        let fcall = || {
            self.client
                .fcall(function)
                .keys(borrowed(&keys))
                .args(borrowed(&args))
        };
        match fcall().await {
            Err(error) if is_unknown_function(&error) => {
                self.client
                    .function_load(self.code.as_str())
                    .replace()
                    .await?;
                fcall().await
            }
            reply => reply,
        }
    }
}

/// The servers have no code of their own for it.
fn is_unknown_function(error: &Error) -> bool {
    error.code() == Some("ERR") && error.message().contains("Function not found")
}

fn borrowed(args: &[Vec<u8>]) -> impl Iterator<Item = Arg<'_>> + Clone {
    args.iter().map(|arg| Arg::from(arg.as_slice()))
}
