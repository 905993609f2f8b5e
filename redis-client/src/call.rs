//! A call: what every command method returns. It is the future of its own reply.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::arg::{ToArg, ToTimeout};
use crate::command::{Command, Flags, Since, Spec};
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::reply::{ReplyKind, kind};

/// What commands can be called on: a connection; later a pool, a transaction, a pipeline. The
/// generated traits ([`StringCommands`](crate::StringCommands), …) give every executor all commands.
pub trait Executor: Sized + Sync {
    /// What turns the strings of replies into the caller's type.
    type Encoder: Encoder;
    /// What a call gives: the value itself, or the promise of it.
    type Output<T>;
    /// A call under way.
    type Ticket: Default + Send + Unpin;

    /// The encoder.
    fn encoder(&self) -> Self::Encoder;

    /// Sends the command, the first time, and gives its reply once it is there.
    fn poll_call<R: ReplyKind<Self::Encoder>>(
        &self,
        command: &mut Command<'_>,
        ticket: &mut Self::Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Output<R::Value>>>;

    /// The caller is gone.
    fn cancel(&self, ticket: &mut Self::Ticket);

    /// A command that is in no table, its words separated by blanks: name its keys, its class and its
    /// reply, and it is treated like one that is.
    ///
    /// ```no_run
    /// use redis_client::prelude::*;
    ///
    /// # async fn example(client: Connection) -> redis_client::Result<()> {
    /// let length = client.command("STRLEN").key("key").readonly().reply::<kind::Integer>().await?;
    /// # Ok(())
    /// # }
    /// ```
    fn command<'a>(&'a self, name: &'a str) -> CustomCall<'a, Self> {
        let mut command = Command::new(&CUSTOM);
        for word in name.split_ascii_whitespace() {
            command.push(0, word.into());
        }
        CustomCall(Call::new(self, command))
    }
}

/// The facts of commands that are in no table.
static CUSTOM: Spec = Spec {
    name: "",
    wire: b"",
    words: 0,
    flags: Flags::NONE,
    since: Since {
        redis: None,
        valkey: None,
    },
    needs: &[],
};

/// A command with its arguments on an executor: the future of its reply, of the kind `R`.
///
/// Nothing is sent before it is first polled. Dropping it is always safe; what happens then is in
/// the documentation of [`Connection`](crate::Connection).
#[must_use = "nothing is sent until this is awaited"]
pub struct Call<'a, X: Executor, R> {
    under_way: UnderWay<'a, X>,
    command: Command<'a>,
    is_done: bool,
    kind: PhantomData<fn() -> R>,
}

/// Tells the executor when the caller is gone.
struct UnderWay<'a, X: Executor> {
    executor: &'a X,
    ticket: X::Ticket,
}

impl<X: Executor> Drop for UnderWay<'_, X> {
    fn drop(&mut self) {
        self.executor.cancel(&mut self.ticket);
    }
}

impl<'a, X: Executor, R> Call<'a, X, R> {
    /// A call. Generated methods use it.
    #[inline]
    pub fn new(executor: &'a X, command: Command<'a>) -> Self {
        Self {
            under_way: UnderWay {
                executor,
                ticket: X::Ticket::default(),
            },
            command,
            is_done: false,
            kind: PhantomData,
        }
    }

    /// The command, to add options.
    #[inline]
    pub fn command_mut(&mut self) -> &mut Command<'a> {
        &mut self.command
    }

    /// The encoder of its client.
    pub fn encoder(&self) -> X::Encoder {
        self.under_way.executor.encoder()
    }

    /// The command, instead of calling it.
    pub fn into_command(self) -> Command<'a> {
        self.command
    }

    /// The same call with a reply of another kind.
    pub fn cast<K>(self) -> Call<'a, X, K> {
        Call {
            under_way: self.under_way,
            command: self.command,
            is_done: self.is_done,
            kind: PhantomData,
        }
    }
}

impl<X: Executor, R: ReplyKind<X::Encoder>> Future for Call<'_, X, R> {
    type Output = Result<X::Output<R::Value>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.is_done {
            let error =
                Error::argument("the call is done, and was polled again; it is sent once only");
            return Poll::Ready(Err(error.for_command(this.command.name())));
        }
        let UnderWay { executor, ticket } = &mut this.under_way;
        let output = ready!(executor.poll_call::<R>(&mut this.command, ticket, cx));
        this.is_done = true;
        Poll::Ready(output)
    }
}

impl<X: Executor, R> fmt::Debug for Call<'_, X, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.command).finish()
    }
}

/// What can be done with every call before it is awaited.
pub trait Request<'a>: Sized {
    /// What it is called on.
    type Executor: Executor;
    /// The kind of its reply.
    type Kind;

    /// The plain call.
    fn into_call(self) -> Call<'a, Self::Executor, Self::Kind>;

    /// Decodes the reply as another [kind](crate::kind) than the table's, for this call:
    /// `.decode::<Json<User>>()`, `.decode::<kind::Value>()`.
    fn decode<K: ReplyKind<<Self::Executor as Executor>::Encoder>>(
        self,
    ) -> Call<'a, Self::Executor, K> {
        self.into_call().cast()
    }

    /// Reads a string in pieces, in bounded memory, instead of at once: `client.get("film").reader()`.
    fn reader(self) -> Call<'a, Self::Executor, kind::Nullable<kind::Reader>> {
        self.into_call().cast()
    }

    /// How long this call waits for its reply, instead of the connection's
    /// [`reply_timeout`](crate::Config::reply_timeout).
    fn reply_timeout(self, timeout: Duration) -> Call<'a, Self::Executor, Self::Kind> {
        let mut call = self.into_call();
        call.command.set_reply_timeout(timeout);
        call
    }

    /// Says that the server may execute this call twice without harm, so that it is repeated when
    /// the connection is lost before its reply.
    fn repeatable(self) -> Call<'a, Self::Executor, Self::Kind> {
        let mut call = self.into_call();
        call.command.add_flags(Flags::IDEMPOTENT);
        call
    }

    /// Says that this call is never repeated after it was sent, whatever the table says.
    fn not_repeatable(self) -> Call<'a, Self::Executor, Self::Kind> {
        let mut call = self.into_call();
        call.command
            .remove_flags(Flags::IDEMPOTENT.union(Flags::READONLY));
        call
    }
}

impl<'a, X: Executor, R> Request<'a> for Call<'a, X, R> {
    type Executor = X;
    type Kind = R;

    fn into_call(self) -> Self {
        self
    }
}

/// A command that is in no table; see [`Executor::command`].
#[must_use = "nothing is sent until this is awaited"]
pub struct CustomCall<'a, X: Executor, R = kind::Value>(Call<'a, X, R>);

impl<'a, X: Executor, R> CustomCall<'a, X, R> {
    /// Adds a key, which decides where a cluster runs the command.
    pub fn key(mut self, key: impl ToArg<'a, X::Encoder>) -> Self {
        let encoder = self.0.encoder();
        self.0.command.push_key(1, key.to_arg(encoder));
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl ToArg<'a, X::Encoder>) -> Self {
        let encoder = self.0.encoder();
        self.0.command.push(1, arg.to_arg(encoder));
        self
    }

    /// Adds several arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl ToArg<'a, X::Encoder>>) -> Self {
        for arg in args {
            self = self.arg(arg);
        }
        self
    }

    /// It only reads: it may be repeated after a lost connection.
    pub fn readonly(mut self) -> Self {
        self.0.command.add_flags(Flags::READONLY);
        self
    }

    /// It writes, which is also assumed where nothing is said.
    pub fn write(mut self) -> Self {
        self.0.command.add_flags(Flags::WRITE);
        self
    }

    /// It waits on the server, for up to this time (plain numbers are seconds; zero is for ever).
    pub fn blocking(mut self, timeout: impl ToTimeout) -> Self {
        self.0.command.add_flags(Flags::BLOCKING);
        self.0.command.block_for(timeout.to_timeout());
        self
    }

    /// What it replies.
    pub fn reply<K: ReplyKind<X::Encoder>>(self) -> CustomCall<'a, X, K> {
        CustomCall(self.0.cast())
    }
}

impl<X: Executor, R: ReplyKind<X::Encoder>> Future for CustomCall<'_, X, R> {
    type Output = Result<X::Output<R::Value>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.get_mut().0).poll(cx)
    }
}

impl<'a, X: Executor, R> Request<'a> for CustomCall<'a, X, R> {
    type Executor = X;
    type Kind = R;

    fn into_call(self) -> Call<'a, X, R> {
        self.0
    }
}

impl<X: Executor, R> fmt::Debug for CustomCall<'_, X, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
