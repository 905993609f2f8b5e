#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
mod traits {
    use super::{args, options, replies, spec};
    use redis_client::__private as redis;

    /// Commands of the group “string”.
    ///
    /// - [`mset`](StringCommands::mset): Sets the string values of several keys at once.
    pub trait StringCommands: redis::Executor {
        /// Sets the string values of several keys at once.
        ///
        /// Atomic: nobody sees some of the keys changed and others not. Overwrites values of any type and removes their time to live.
        ///
        /// ```text
        /// MSET key value [key value ...]
        /// ```
        ///
        /// # Arguments
        ///
        /// - `values` (pairs of key and value): the keys and their new values.
        ///
        /// # Reply
        ///
        /// `StatusReply`: a status.
        ///
        /// Since Redis 1.0.1, in every Valkey. Complexity: O(N) where N is the number of keys. Can be repeated without harm.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/mset/), [valkey.io](https://valkey.io/commands/mset/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// assert_eq!(client.mset([("a", "1"), ("b", "2")]).await?, "OK");
        /// assert_eq!(client.get("b").await?.as_deref(), Some("2"));
        /// ```
        #[doc(alias = "MSET")]
        fn mset<'a>(
            &'a self,
            values: impl IntoIterator<
                Item = impl redis::ToPair<'a, Self::Encoder, redis::kind::Native>,
            >,
        ) -> redis::Call<'a, Self, redis::kind::StatusReply> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::MSET);
            for pair in values {
                let (first, second) = <_ as redis::ToPair<
                    'a,
                    Self::Encoder,
                    redis::kind::Native,
                >>::to_pair(pair, encoder);
                command.push_key(0, first);
                command.push(0, second);
            }
            redis::Call::new(self, command)
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

    pub static MSET: redis::Spec = redis::Spec {
        name: "MSET",
        wire: b"$4\r\nMSET\r\n",
        words: 1,
        flags: redis::Flags::WRITE
            .union(redis::Flags::DENYOOM)
            .union(redis::Flags::IDEMPOTENT),
        since: redis::Since {
            redis: Some("1.0.1"),
            valkey: Some("1.0.1"),
        },
        needs: &[],
    };

    /// Commands without a method: the runtime drives them.
    pub static DRIVEN: &[&redis::Spec] = &[];
}
