#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
mod traits {
    use super::{args, options, replies, spec};
    use redis_client::__private as redis;

    /// Commands of the group “list”.
    ///
    /// - [`blpop`](ListCommands::blpop): Removes and returns the first element of the first list that has one, waiting for one if all are empty.
    pub trait ListCommands: redis::Executor {
        /// Removes and returns the first element of the first list that has one, waiting for one if all are empty.
        ///
        /// The reply names the list that the element came from. When the time is over without an element, the call fails with the error kind `Timeout`.
        ///
        /// Fractions of a second need Redis 6.0.
        ///
        /// ```text
        /// BLPOP keys [keys ...] timeout
        /// ```
        ///
        /// # Arguments
        ///
        /// - `keys` (list: key): names of the lists, looked at in this order.
        /// - `.timeout(timeout)` (chained, `0` without it; number of seconds, or `Duration`): how long to wait, in seconds; 0 waits for ever.
        ///
        /// # Reply
        ///
        /// `BlockingPopReply<N>`: the element and the list it came from; an error of kind `Timeout` if there was none in time. `N` is the encoder's type: `String` by default.
        ///
        /// Since Redis 2.0.0, in every Valkey. Complexity: O(N), N: given keys. Blocks until there is an answer, on a connection of its own.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/blpop/), [valkey.io](https://valkey.io/commands/blpop/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// client.rpush("queue", ["a", "b", "c"]).await?;
        /// let popped = client.blpop(["urgent", "queue"]).timeout(1).await?;
        /// assert_eq!(popped.list_name, "queue");
        /// assert_eq!(popped.value, "a");
        /// let error = client.blpop(["empty"]).timeout(0.01).await.unwrap_err();
        /// assert!(matches!(error.kind(), ErrorKind::Timeout));
        /// ```
        #[doc(alias = "BLPOP")]
        fn blpop<'a>(
            &'a self,
            keys: impl IntoIterator<Item = impl redis::ToArg<'a, Self::Encoder>>,
        ) -> options::Blpop<'a, Self> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::BLPOP);
            for item in keys {
                command.push_key(0, redis::ToArg::to_arg(item, encoder));
            }
            let timeout = redis::ToTimeout::to_timeout(0i64);
            command.block_for(timeout);
            command.push(1, timeout.seconds_arg());
            options::Blpop(redis::Call::new(self, command))
        }
    }

    impl<X: redis::Executor> ListCommands for X {}
    /// All groups of commands in one bound.
    pub trait Commands: redis::Executor + ListCommands {}
    impl<X: redis::Executor + ListCommands> Commands for X {}
}

pub use traits::{Commands, ListCommands};

/// What the methods of commands with options return: chained calls, then `.await`.
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod options {
    use super::{args, replies};
    use redis_client::__private as redis;

    /// What [`blpop`](super::ListCommands::blpop) returns: call its options, then `.await` it.
    #[must_use = "nothing is sent until this is awaited"]
    pub struct Blpop<'a, X: redis::Executor, R = redis::kind::BlockingPopReply>(
        pub(super) redis::Call<'a, X, R>,
    );

    impl<'a, X: redis::Executor, R> Blpop<'a, X, R> {
        /// How long to wait, in seconds; 0 waits for ever.
        ///
        /// Without this call it is `0`.
        pub fn timeout(mut self, timeout: impl redis::ToTimeout) -> Self {
            let command = self.0.command_mut();
            command.clear(1, 1);
            let timeout = redis::ToTimeout::to_timeout(timeout);
            command.block_for(timeout);
            command.push(1, timeout.seconds_arg());
            self
        }
    }

    impl<'a, X: redis::Executor, R: redis::ReplyKind<X::Encoder>> ::core::future::Future
    for Blpop<'a, X, R> {
        type Output = redis::Result<X::Output<R::Value>>;
        fn poll(
            self: ::core::pin::Pin<&mut Self>,
            context: &mut ::core::task::Context<'_>,
        ) -> ::core::task::Poll<Self::Output> {
            ::core::future::Future::poll(
                ::core::pin::Pin::new(&mut self.get_mut().0),
                context,
            )
        }
    }

    impl<'a, X: redis::Executor, R> redis::Request<'a> for Blpop<'a, X, R> {
        type Executor = X;
        type Kind = R;
        fn into_call(self) -> redis::Call<'a, X, R> {
            self.0
        }
    }
}

/// Types of arguments: closed sets of tokens, and arguments of several parts.
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod args {
    use redis_client::__private as redis;
}

/// Structs for replies.
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod replies {
    use ::std::collections::{HashMap, HashSet};
    use redis_client::__private::{Bytes, StatusReply, Value};

    /// The kinds of these structs, as a command's reply.
    pub mod kind {
        use super::super::replies;
        use redis_client::__private as redis;
    }
}

#[doc(hidden)]
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod spec {
    use redis_client::__private as redis;

    pub static BLPOP: redis::Spec = redis::Spec {
        name: "BLPOP",
        wire: b"$5\r\nBLPOP\r\n",
        words: 1,
        flags: redis::Flags::WRITE.union(redis::Flags::BLOCKING),
        since: redis::Since {
            redis: Some("2.0.0"),
            valkey: Some("2.0.0"),
        },
        needs: &[],
    };

    /// Commands without a method: the runtime drives them.
    pub static DRIVEN: &[&redis::Spec] = &[];
}
