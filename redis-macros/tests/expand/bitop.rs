#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
mod traits {
    use super::{args, options, replies, spec};
    use redis_client::__private as redis;

    /// Commands of the group “bitmap”.
    ///
    /// - [`bitop_and`](BitmapCommands::bitop_and): Stores the bitwise AND of strings in a key.
    /// - [`bitop_not`](BitmapCommands::bitop_not): Stores the bitwise complement of a string in a key.
    /// - [`bitop_diff1`](BitmapCommands::bitop_diff1): Stores the bits that are set in at least one of the other strings but not in the first one in a key.
    pub trait BitmapCommands: redis::Executor {
        /// Stores the bitwise AND of strings in a key.
        ///
        /// Shorter strings and keys that do not exist count as padded with zero bytes. The reply is the length of the result, in bytes.
        ///
        /// ```text
        /// BITOP AND destkey srckeys [srckeys ...]
        /// ```
        ///
        /// # Arguments
        ///
        /// - `destkey` (key): where the result is stored, overwriting what is there.
        /// - `srckeys` (list: key): the strings to combine.
        ///
        /// # Reply
        ///
        /// `i64`: an integer.
        ///
        /// Since Redis 2.6.0, in every Valkey. Complexity: O(N) where N is the length of the longest string. Can be repeated without harm.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/bitop/), [valkey.io](https://valkey.io/commands/bitop/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// client.mset([("a", "abc"), ("b", "aac")]).await?;
        /// assert_eq!(client.bitop_and("both", ["a", "b"]).await?, 3);
        /// assert_eq!(client.get("both").await?.as_deref(), Some("a`c"));
        /// ```
        #[doc(alias = "BITOP")]
        #[doc(alias = "AND")]
        fn bitop_and<'a>(
            &'a self,
            destkey: impl redis::ToArg<'a, Self::Encoder>,
            srckeys: impl IntoIterator<Item = impl redis::ToArg<'a, Self::Encoder>>,
        ) -> redis::Call<'a, Self, redis::kind::Integer> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::BITOP_AND);
            command.token(0, "AND");
            command.push_key(1, redis::ToArg::to_arg(destkey, encoder));
            for item in srckeys {
                command.push_key(2, redis::ToArg::to_arg(item, encoder));
            }
            redis::Call::new(self, command)
        }

        /// Stores the bitwise complement of a string in a key.
        ///
        /// Shorter strings and keys that do not exist count as padded with zero bytes. The reply is the length of the result, in bytes.
        ///
        /// ```text
        /// BITOP NOT destkey key
        /// ```
        ///
        /// # Arguments
        ///
        /// - `destkey` (key): where the result is stored, overwriting what is there.
        /// - `key` (key): the string to invert.
        ///
        /// # Reply
        ///
        /// `i64`: an integer.
        ///
        /// Since Redis 2.6.0, in every Valkey. Complexity: O(N) where N is the length of the longest string.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/bitop/), [valkey.io](https://valkey.io/commands/bitop/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// client.setbit("flags", 7, true).await?;
        /// assert_eq!(client.bitop_not("inverted", "flags").await?, 1);
        /// assert_eq!(client.bitcount("inverted").await?, 7);
        /// ```
        #[doc(alias = "BITOP")]
        #[doc(alias = "NOT")]
        fn bitop_not<'a>(
            &'a self,
            destkey: impl redis::ToArg<'a, Self::Encoder>,
            key: impl redis::ToArg<'a, Self::Encoder>,
        ) -> redis::Call<'a, Self, redis::kind::Integer> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::BITOP_NOT);
            command.token(0, "NOT");
            command.push_key(1, redis::ToArg::to_arg(destkey, encoder));
            command.push_key(2, redis::ToArg::to_arg(key, encoder));
            redis::Call::new(self, command)
        }

        /// Stores the bits that are set in at least one of the other strings but not in the first one in a key.
        ///
        /// Shorter strings and keys that do not exist count as padded with zero bytes. The reply is the length of the result, in bytes.
        ///
        /// ```text
        /// BITOP DIFF1 destkey key srckeys [srckeys ...]
        /// ```
        ///
        /// # Arguments
        ///
        /// - `destkey` (key): where the result is stored, overwriting what is there.
        /// - `key` (key): the string whose bits are removed.
        /// - `srckeys` (list: key): the strings to take bits from.
        ///
        /// # Reply
        ///
        /// `i64`: an integer.
        ///
        /// Since Redis 8.2.0, not in Valkey. Complexity: O(N) where N is the length of the longest string.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/bitop/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// client.mset([("a", "```"), ("b", "abc")]).await?;
        /// assert_eq!(client.bitop_diff1("rest", "a", ["b"]).await?, 3);
        /// assert_eq!(client.get("rest").await?.as_deref(), Some("\u{1}\u{2}\u{3}"));
        /// ```
        #[doc(alias = "BITOP")]
        #[doc(alias = "DIFF1")]
        fn bitop_diff1<'a>(
            &'a self,
            destkey: impl redis::ToArg<'a, Self::Encoder>,
            key: impl redis::ToArg<'a, Self::Encoder>,
            srckeys: impl IntoIterator<Item = impl redis::ToArg<'a, Self::Encoder>>,
        ) -> redis::Call<'a, Self, redis::kind::Integer> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::BITOP_DIFF1);
            command.token(0, "DIFF1");
            command.push_key(1, redis::ToArg::to_arg(destkey, encoder));
            command.push_key(2, redis::ToArg::to_arg(key, encoder));
            for item in srckeys {
                command.push_key(3, redis::ToArg::to_arg(item, encoder));
            }
            redis::Call::new(self, command)
        }
    }

    impl<X: redis::Executor> BitmapCommands for X {}
    /// All groups of commands in one bound.
    pub trait Commands: redis::Executor + BitmapCommands {}
    impl<X: redis::Executor + BitmapCommands> Commands for X {}
}

pub use traits::{Commands, BitmapCommands};

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

    pub static BITOP_AND: redis::Spec = redis::Spec {
        name: "BITOP",
        wire: b"$5\r\nBITOP\r\n",
        words: 1,
        flags: redis::Flags::WRITE
            .union(redis::Flags::DENYOOM)
            .union(redis::Flags::IDEMPOTENT),
        since: redis::Since {
            redis: Some("2.6.0"),
            valkey: Some("2.6.0"),
        },
        needs: &[],
    };

    pub static BITOP_NOT: redis::Spec = redis::Spec {
        name: "BITOP",
        wire: b"$5\r\nBITOP\r\n",
        words: 1,
        flags: redis::Flags::WRITE.union(redis::Flags::DENYOOM),
        since: redis::Since {
            redis: Some("2.6.0"),
            valkey: Some("2.6.0"),
        },
        needs: &[],
    };

    pub static BITOP_DIFF1: redis::Spec = redis::Spec {
        name: "BITOP",
        wire: b"$5\r\nBITOP\r\n",
        words: 1,
        flags: redis::Flags::WRITE.union(redis::Flags::DENYOOM),
        since: redis::Since {
            redis: Some("8.2.0"),
            valkey: None,
        },
        needs: &[],
    };

    /// Commands without a method: the runtime drives them.
    pub static DRIVEN: &[&redis::Spec] = &[];
}
