#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
mod traits {
    use super::{args, options, replies, spec};
    use redis_client::__private as redis;

    /// Commands of the group “string”.
    ///
    /// - [`set`](StringCommands::set): Sets the string value of a key.
    pub trait StringCommands: redis::Executor {
        /// Sets the string value of a key.
        ///
        /// Overwrites a value of any type. The key's time to live is removed unless one of the options about it is chosen.
        ///
        /// The reply is `None` if a condition was not met and nothing was set.
        ///
        /// With `.get()` it is the old value instead, `None` if the key did not exist, whether the new one was set or not.
        ///
        /// ```text
        /// SET key value [EX seconds | PX milliseconds | EXAT timestamp | PXAT milliseconds-timestamp | KEEPTTL] [NX | XX | IFEQ equal-value | IFNE unequal-value | IFDEQ equal-digest | IFDNE unequal-digest] [GET]
        /// ```
        ///
        /// # Arguments
        ///
        /// - `key` (key): name of the key.
        /// - `value` (value): the new value.
        /// - `.expire(seconds)` (optional, chained; integer): time to live, in seconds. Sends `EX seconds`. Since Redis 2.6.12, in every Valkey.
        /// - `.pexpire(milliseconds)` (optional, chained; integer): time to live, in milliseconds. Sends `PX milliseconds`. Since Redis 2.6.12, in every Valkey.
        /// - `.expireat(timestamp)` (optional, chained; Unix time): when it expires, Unix time in seconds. Sends `EXAT timestamp`. Since Redis 6.2.0, in every Valkey.
        /// - `.pexpireat(milliseconds_timestamp)` (optional, chained; Unix time): when it expires, Unix time in milliseconds. Sends `PXAT milliseconds-timestamp`. Since Redis 6.2.0, in every Valkey.
        /// - `.keep_ttl()` (optional, chained): keeps the key's present time to live. Sends `KEEPTTL`. Since Redis 6.0.0, in every Valkey.
        /// - `.only_if_not_exists()` (optional, chained): only if the key does not exist. Sends `NX`. Since Redis 2.6.12, in every Valkey.
        /// - `.only_if_exists()` (optional, chained): only if the key exists. Sends `XX`. Since Redis 2.6.12, in every Valkey.
        /// - `.only_if_equal(equal_value)` (optional, chained; value): only if the key holds this value. Sends `IFEQ equal-value`. Since Redis 8.4.0, Valkey 8.1.0.
        /// - `.only_if_not_equal(unequal_value)` (optional, chained; value): only if the key does not hold this value. Sends `IFNE unequal-value`. Since Redis 8.4.0, not in Valkey.
        /// - `.only_if_digest_equal(equal_digest)` (optional, chained; text, whatever the encoder): only if the value's `DIGEST` is this. Sends `IFDEQ equal-digest`. Since Redis 8.4.0, not in Valkey.
        /// - `.only_if_digest_not_equal(unequal_digest)` (optional, chained; text, whatever the encoder): only if the value's `DIGEST` is not this. Sends `IFDNE unequal-digest`. Since Redis 8.4.0, not in Valkey.
        /// - `.get()` (optional, chained): returns the old value. Sends `GET`. Since Redis 6.2.0, in every Valkey.
        ///
        /// # Reply
        ///
        /// `Option<StatusReply>`: a status, or `None`. With `.get()`: `Option<N>`. `N` is the encoder's type: `String` by default.
        ///
        /// Since Redis 1.0.0, in every Valkey. Complexity: O(1). Can be repeated without harm.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/set/), [valkey.io](https://valkey.io/commands/set/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// assert!(client.set("key", "value").await?.is_some_and(|status| status == "OK"));
        /// assert!(client.set("key", "other").only_if_not_exists().await?.is_none());
        /// assert_eq!(client.set("key", "new").expire(60).get().await?, Some("value".to_owned()));
        /// assert_eq!(client.get("key").await?, Some("new".to_owned()));
        /// ```
        #[doc(alias = "SET")]
        fn set<'a>(
            &'a self,
            key: impl redis::ToArg<'a, Self::Encoder>,
            value: impl redis::ToArg<'a, Self::Encoder>,
        ) -> options::Set<'a, Self> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::SET);
            command.push_key(0, redis::ToArg::to_arg(key, encoder));
            command.push(1, redis::ToArg::to_arg(value, encoder));
            options::Set(redis::Call::new(self, command))
        }
    }

    impl<X: redis::Executor> StringCommands for X {}
    /// All groups of commands in one bound.
    pub trait Commands: redis::Executor + StringCommands {}
    impl<X: redis::Executor + StringCommands> Commands for X {}
}

pub use traits::{Commands, StringCommands};

/// What the methods of commands with options return: chained calls, then `.await`.
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod options {
    use super::{args, replies};
    use redis_client::__private as redis;

    /// What [`set`](super::StringCommands::set) returns: call its options, then `.await` it.
    #[must_use = "nothing is sent until this is awaited"]
    pub struct Set<
        'a,
        X: redis::Executor,
        R = redis::kind::Nullable<redis::kind::StatusReply>,
    >(
        pub(super) redis::Call<'a, X, R>,
    );

    impl<'a, X: redis::Executor, R> Set<'a, X, R> {
        /// Time to live, in seconds.
        ///
        /// Sends `EX seconds`.
        ///
        /// Since Redis 2.6.12, in every Valkey.
        #[doc(alias = "EX")]
        pub fn expire(mut self, seconds: i64) -> Self {
            let command = self.0.command_mut();
            command.clear(2, 10);
            command.token(2, "EX");
            command.push(3, redis::Arg::from_i64(seconds));
            self
        }

        /// Time to live, in milliseconds.
        ///
        /// Sends `PX milliseconds`.
        ///
        /// Since Redis 2.6.12, in every Valkey.
        #[doc(alias = "PX")]
        pub fn pexpire(mut self, milliseconds: i64) -> Self {
            let command = self.0.command_mut();
            command.clear(2, 10);
            command.token(4, "PX");
            command.push(5, redis::Arg::from_i64(milliseconds));
            self
        }

        /// When it expires, Unix time in seconds.
        ///
        /// Sends `EXAT timestamp`.
        ///
        /// Since Redis 6.2.0, in every Valkey.
        #[doc(alias = "EXAT")]
        pub fn expireat(mut self, timestamp: i64) -> Self {
            let command = self.0.command_mut();
            command.clear(2, 10);
            command.token(6, "EXAT");
            command.push(7, redis::Arg::from_i64(timestamp));
            self
        }

        /// When it expires, Unix time in milliseconds.
        ///
        /// Sends `PXAT milliseconds-timestamp`.
        ///
        /// Since Redis 6.2.0, in every Valkey.
        #[doc(alias = "PXAT")]
        pub fn pexpireat(mut self, milliseconds_timestamp: i64) -> Self {
            let command = self.0.command_mut();
            command.clear(2, 10);
            command.token(8, "PXAT");
            command.push(9, redis::Arg::from_i64(milliseconds_timestamp));
            self
        }

        /// Keeps the key's present time to live.
        ///
        /// Sends `KEEPTTL`.
        ///
        /// Since Redis 6.0.0, in every Valkey.
        #[doc(alias = "KEEPTTL")]
        pub fn keep_ttl(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(2, 10);
            command.token(10, "KEEPTTL");
            self
        }

        /// Only if the key does not exist.
        ///
        /// Sends `NX`.
        ///
        /// Since Redis 2.6.12, in every Valkey.
        #[doc(alias = "NX")]
        pub fn only_if_not_exists(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(11, 20);
            command.token(11, "NX");
            command.remove_flags(redis::Flags::IDEMPOTENT);
            self
        }

        /// Only if the key exists.
        ///
        /// Sends `XX`.
        ///
        /// Since Redis 2.6.12, in every Valkey.
        #[doc(alias = "XX")]
        pub fn only_if_exists(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(11, 20);
            command.token(12, "XX");
            command.remove_flags(redis::Flags::IDEMPOTENT);
            self
        }

        /// Only if the key holds this value.
        ///
        /// Sends `IFEQ equal-value`.
        ///
        /// Since Redis 8.4.0, Valkey 8.1.0.
        #[doc(alias = "IFEQ")]
        pub fn only_if_equal(
            mut self,
            equal_value: impl redis::ToArg<'a, X::Encoder>,
        ) -> Self {
            let encoder = self.0.encoder();
            let command = self.0.command_mut();
            command.clear(11, 20);
            command.token(13, "IFEQ");
            command.push(14, redis::ToArg::to_arg(equal_value, encoder));
            command.remove_flags(redis::Flags::IDEMPOTENT);
            self
        }

        /// Only if the key does not hold this value.
        ///
        /// Sends `IFNE unequal-value`.
        ///
        /// Since Redis 8.4.0, not in Valkey.
        #[doc(alias = "IFNE")]
        pub fn only_if_not_equal(
            mut self,
            unequal_value: impl redis::ToArg<'a, X::Encoder>,
        ) -> Self {
            let encoder = self.0.encoder();
            let command = self.0.command_mut();
            command.clear(11, 20);
            command.token(15, "IFNE");
            command.push(16, redis::ToArg::to_arg(unequal_value, encoder));
            command.remove_flags(redis::Flags::IDEMPOTENT);
            self
        }

        /// Only if the value's `DIGEST` is this.
        ///
        /// Sends `IFDEQ equal-digest`.
        ///
        /// Since Redis 8.4.0, not in Valkey.
        #[doc(alias = "IFDEQ")]
        pub fn only_if_digest_equal(
            mut self,
            equal_digest: impl redis::ToArg<'a, redis::Utf8>,
        ) -> Self {
            let command = self.0.command_mut();
            command.clear(11, 20);
            command.token(17, "IFDEQ");
            command.push(18, redis::ToArg::to_arg(equal_digest, redis::Utf8));
            command.remove_flags(redis::Flags::IDEMPOTENT);
            self
        }

        /// Only if the value's `DIGEST` is not this.
        ///
        /// Sends `IFDNE unequal-digest`.
        ///
        /// Since Redis 8.4.0, not in Valkey.
        #[doc(alias = "IFDNE")]
        pub fn only_if_digest_not_equal(
            mut self,
            unequal_digest: impl redis::ToArg<'a, redis::Utf8>,
        ) -> Self {
            let command = self.0.command_mut();
            command.clear(11, 20);
            command.token(19, "IFDNE");
            command.push(20, redis::ToArg::to_arg(unequal_digest, redis::Utf8));
            command.remove_flags(redis::Flags::IDEMPOTENT);
            self
        }

        /// Returns the old value.
        ///
        /// Sends `GET`.
        ///
        /// Changes the reply to `Option<N>`.
        ///
        /// Since Redis 6.2.0, in every Valkey.
        #[doc(alias = "GET")]
        pub fn get(mut self) -> Set<'a, X, redis::kind::Nullable<redis::kind::Native>> {
            let command = self.0.command_mut();
            command.clear(21, 21);
            command.token(21, "GET");
            command.remove_flags(redis::Flags::IDEMPOTENT);
            Set(self.0.cast())
        }
    }

    impl<'a, X: redis::Executor, R: redis::ReplyKind<X::Encoder>> ::core::future::Future
    for Set<'a, X, R> {
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

    impl<'a, X: redis::Executor, R> redis::Request<'a> for Set<'a, X, R> {
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

    pub static SET: redis::Spec = redis::Spec {
        name: "SET",
        wire: b"$3\r\nSET\r\n",
        words: 1,
        flags: redis::Flags::WRITE
            .union(redis::Flags::DENYOOM)
            .union(redis::Flags::IDEMPOTENT),
        since: redis::Since {
            redis: Some("1.0.0"),
            valkey: Some("1.0.0"),
        },
        needs: &[],
    };

    /// Commands without a method: the runtime drives them.
    pub static DRIVEN: &[&redis::Spec] = &[];
}
