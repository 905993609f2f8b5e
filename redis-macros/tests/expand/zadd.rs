#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
mod traits {
    use super::{args, options, replies, spec};
    use redis_client::__private as redis;

    /// Commands of the group “sorted set”.
    ///
    /// - [`zadd`](SortedSetCommands::zadd): Adds members to a sorted set, or changes their scores, and returns how many of them are new.
    pub trait SortedSetCommands: redis::Executor {
        /// Adds members to a sorted set, or changes their scores, and returns how many of them are new.
        ///
        /// `only_if_not_exists` goes with neither `only_if_greater` nor `only_if_less`: the server refuses it. `incr` takes exactly one member; its reply is `None` if a condition prevented the change.
        ///
        /// ```text
        /// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]
        /// ```
        ///
        /// # Arguments
        ///
        /// - `key` (key): name of the sorted set.
        /// - `values` (pairs of member and score): members with their scores.
        /// - `.only_if_not_exists()` (optional, chained): only adds new members, changes no score. Sends `NX`. Since Redis 3.0.2, in every Valkey.
        /// - `.only_if_exists()` (optional, chained): only changes scores, adds no member. Sends `XX`. Since Redis 3.0.2, in every Valkey.
        /// - `.only_if_greater()` (optional, chained): changes scores only to higher ones; still adds new members. Sends `GT`. Since Redis 6.2.0, in every Valkey.
        /// - `.only_if_less()` (optional, chained): changes scores only to lower ones; still adds new members. Sends `LT`. Since Redis 6.2.0, in every Valkey.
        /// - `.changed()` (optional, chained): counts changed scores too, not only new members. Sends `CH`. Since Redis 3.0.2, in every Valkey.
        /// - `.incr()` (optional, chained): adds to the score of the one member and returns the new score. Sends `INCR`. Since Redis 3.0.2, in every Valkey.
        ///
        /// # Reply
        ///
        /// `i64`: an integer. With `.incr()`: `Option<f64>`.
        ///
        /// Since Redis 1.2.0, in every Valkey. Complexity: O(log(N)) for each member, N: size of the sorted set.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/zadd/), [valkey.io](https://valkey.io/commands/zadd/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// assert_eq!(client.zadd("board", [("ada", 10.0), ("bob", 20.0)]).await?, 2);
        /// assert_eq!(client.zadd("board", [("ada", 15.0), ("bob", 5.0)]).only_if_greater().changed().await?, 1);
        /// assert_eq!(client.zadd("board", [("cleo", 30.0)]).only_if_exists().await?, 0);
        /// assert_eq!(client.zadd("board", [("ada", 2.5)]).incr().await?, Some(17.5));
        /// assert_eq!(client.zrange_asdict("board").await?, HashMap::from([("ada".to_owned(), 17.5), ("bob".to_owned(), 20.0)]));
        /// ```
        #[doc(alias = "ZADD")]
        fn zadd<'a>(
            &'a self,
            key: impl redis::ToArg<'a, Self::Encoder>,
            values: impl IntoIterator<
                Item = impl redis::ToPair<'a, Self::Encoder, redis::kind::Float>,
            >,
        ) -> options::Zadd<'a, Self> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::ZADD);
            command.push_key(0, redis::ToArg::to_arg(key, encoder));
            for pair in values {
                let (second, first) = <_ as redis::ToPair<
                    'a,
                    Self::Encoder,
                    redis::kind::Float,
                >>::to_pair(pair, encoder);
                command.push(7, first);
                command.push(7, second);
            }
            options::Zadd(redis::Call::new(self, command))
        }
    }

    impl<X: redis::Executor> SortedSetCommands for X {}
    /// All groups of commands in one bound.
    pub trait Commands: redis::Executor + SortedSetCommands {}
    impl<X: redis::Executor + SortedSetCommands> Commands for X {}
}

pub use traits::{Commands, SortedSetCommands};

/// What the methods of commands with options return: chained calls, then `.await`.
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod options {
    use super::{args, replies};
    use redis_client::__private as redis;

    /// What [`zadd`](super::SortedSetCommands::zadd) returns: call its options, then `.await` it.
    #[must_use = "nothing is sent until this is awaited"]
    pub struct Zadd<'a, X: redis::Executor, R = redis::kind::Integer>(
        pub(super) redis::Call<'a, X, R>,
    );

    impl<'a, X: redis::Executor, R> Zadd<'a, X, R> {
        /// Only adds new members, changes no score.
        ///
        /// Sends `NX`.
        ///
        /// Since Redis 3.0.2, in every Valkey.
        #[doc(alias = "NX")]
        pub fn only_if_not_exists(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(1, 2);
            command.token(1, "NX");
            self
        }

        /// Only changes scores, adds no member.
        ///
        /// Sends `XX`.
        ///
        /// Since Redis 3.0.2, in every Valkey.
        #[doc(alias = "XX")]
        pub fn only_if_exists(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(1, 2);
            command.token(2, "XX");
            self
        }

        /// Changes scores only to higher ones; still adds new members.
        ///
        /// Sends `GT`.
        ///
        /// Since Redis 6.2.0, in every Valkey.
        #[doc(alias = "GT")]
        pub fn only_if_greater(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(3, 4);
            command.token(3, "GT");
            self
        }

        /// Changes scores only to lower ones; still adds new members.
        ///
        /// Sends `LT`.
        ///
        /// Since Redis 6.2.0, in every Valkey.
        #[doc(alias = "LT")]
        pub fn only_if_less(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(3, 4);
            command.token(4, "LT");
            self
        }

        /// Counts changed scores too, not only new members.
        ///
        /// Sends `CH`.
        ///
        /// Since Redis 3.0.2, in every Valkey.
        #[doc(alias = "CH")]
        pub fn changed(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(5, 5);
            command.token(5, "CH");
            self
        }

        /// Adds to the score of the one member and returns the new score.
        ///
        /// Sends `INCR`.
        ///
        /// Changes the reply to `Option<f64>`.
        ///
        /// Since Redis 3.0.2, in every Valkey.
        #[doc(alias = "INCR")]
        pub fn incr(mut self) -> Zadd<'a, X, redis::kind::Nullable<redis::kind::Float>> {
            let command = self.0.command_mut();
            command.clear(6, 6);
            command.token(6, "INCR");
            Zadd(self.0.cast())
        }
    }

    impl<'a, X: redis::Executor, R: redis::ReplyKind<X::Encoder>> ::core::future::Future
    for Zadd<'a, X, R> {
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

    impl<'a, X: redis::Executor, R> redis::Request<'a> for Zadd<'a, X, R> {
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

    pub static ZADD: redis::Spec = redis::Spec {
        name: "ZADD",
        wire: b"$4\r\nZADD\r\n",
        words: 1,
        flags: redis::Flags::WRITE
            .union(redis::Flags::DENYOOM)
            .union(redis::Flags::FAST),
        since: redis::Since {
            redis: Some("1.2.0"),
            valkey: Some("1.2.0"),
        },
        needs: &[],
    };

    /// Commands without a method: the runtime drives them.
    pub static DRIVEN: &[&redis::Spec] = &[];
}
