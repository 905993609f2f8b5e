#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
mod traits {
    use super::{args, options, replies, spec};
    use redis_client::__private as redis;

    /// Commands of the group “bitmap”.
    ///
    /// - [`bitfield`](BitmapCommands::bitfield): Reads, sets and increments integers of any width that are packed into a string.
    pub trait BitmapCommands: redis::Executor {
        /// Reads, sets and increments integers of any width that are packed into a string.
        ///
        /// The operations run in order and atomically. An overflow choice holds for the operations after it, until the next one.
        ///
        /// One element for each operation but `overflow`: the value read by `get`, the old one of `set`, the new one of `incrby`.
        ///
        /// `None` is an operation that `BitfieldOverflow::Fail` refused.
        ///
        /// ```text
        /// BITFIELD key <GET encoding offset | SET encoding offset value | INCRBY encoding offset increment | OVERFLOW <WRAP | SAT | FAIL>> [<GET encoding offset | SET encoding offset value | INCRBY encoding offset increment | OVERFLOW <WRAP | SAT | FAIL>> ...]
        /// ```
        ///
        /// # Arguments
        ///
        /// - `key` (key): name of the key.
        /// - `operations` (list: `BitfieldOp`): one operation of `BITFIELD`.
        ///
        /// # Reply
        ///
        /// `Vec<Option<i64>>`: a list.
        ///
        /// Since Redis 3.2.0, in every Valkey. Complexity: O(1) for each operation.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/bitfield/), [valkey.io](https://valkey.io/commands/bitfield/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// let operations = [BitfieldOp::set("u8", 0, 200), BitfieldOp::incrby("u8", 0, 5), BitfieldOp::get("u8", "#1")];
        /// assert_eq!(client.bitfield("counters", operations).await?, [Some(0), Some(205), Some(0)]);
        /// let operations = [BitfieldOp::overflow(BitfieldOverflow::Fail), BitfieldOp::incrby("u8", 0, 100)];
        /// assert_eq!(client.bitfield("counters", operations).await?, [None]);
        /// ```
        #[doc(alias = "BITFIELD")]
        fn bitfield<'a>(
            &'a self,
            key: impl redis::ToArg<'a, Self::Encoder>,
            operations: impl IntoIterator<Item = args::BitfieldOp<'a>>,
        ) -> redis::Call<
            'a,
            Self,
            redis::kind::List<redis::kind::Nullable<redis::kind::Integer>>,
        > {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::BITFIELD);
            command.push_key(0, redis::ToArg::to_arg(key, encoder));
            for item in operations {
                command.push_fragment(1, item.0);
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

    /// What `BITFIELD` does when a value does not fit into its integer.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum BitfieldOverflow {
        /// Wraps around (the server's default).
        #[doc(alias = "WRAP")]
        Wrap,
        /// Stops at the smallest or largest value.
        #[doc(alias = "SAT")]
        Saturate,
        /// Changes nothing, and the reply of that operation is `None`.
        #[doc(alias = "FAIL")]
        Fail,
    }

    impl BitfieldOverflow {
        /// What is sent for it.
        pub const fn token(self) -> &'static str {
            match self {
                Self::Wrap => "WRAP",
                Self::Saturate => "SAT",
                Self::Fail => "FAIL",
            }
        }
    }

    /// One operation of `BITFIELD`: an argument of `BITFIELD`.
    #[derive(Debug, Clone)]
    pub struct BitfieldOp<'a>(pub(super) redis::Fragment<'a>);

    impl<'a> BitfieldOp<'a> {
        /// Reads an integer.
        ///
        /// - `encoding` (text, whatever the encoder): `u` or `i` and the number of bits: `u1` to `u63`, `i1` to `i64`.
        /// - `offset` (text, whatever the encoder): position of the first bit, or `#n` for the n-th such integer.
        #[doc(alias = "GET")]
        pub fn get(
            encoding: impl redis::ToArg<'a, redis::Utf8>,
            offset: impl redis::ToArg<'a, redis::Utf8>,
        ) -> Self {
            let mut fragment = redis::Fragment::new();
            fragment.token("GET");
            fragment.push(redis::ToArg::to_arg(encoding, redis::Utf8));
            fragment.push(redis::ToArg::to_arg(offset, redis::Utf8));
            Self(fragment)
        }

        /// Writes an integer.
        ///
        /// - `encoding` (text, whatever the encoder): `u` or `i` and the number of bits: `u1` to `u63`, `i1` to `i64`.
        /// - `offset` (text, whatever the encoder): position of the first bit, or `#n` for the n-th such integer.
        /// - `value` (integer): the value to write.
        #[doc(alias = "SET")]
        pub fn set(
            encoding: impl redis::ToArg<'a, redis::Utf8>,
            offset: impl redis::ToArg<'a, redis::Utf8>,
            value: i64,
        ) -> Self {
            let mut fragment = redis::Fragment::new();
            fragment.token("SET");
            fragment.push(redis::ToArg::to_arg(encoding, redis::Utf8));
            fragment.push(redis::ToArg::to_arg(offset, redis::Utf8));
            fragment.push(redis::Arg::from_i64(value));
            Self(fragment)
        }

        /// Adds to an integer.
        ///
        /// - `encoding` (text, whatever the encoder): `u` or `i` and the number of bits: `u1` to `u63`, `i1` to `i64`.
        /// - `offset` (text, whatever the encoder): position of the first bit, or `#n` for the n-th such integer.
        /// - `increment` (integer): how much to add, may be negative.
        #[doc(alias = "INCRBY")]
        pub fn incrby(
            encoding: impl redis::ToArg<'a, redis::Utf8>,
            offset: impl redis::ToArg<'a, redis::Utf8>,
            increment: i64,
        ) -> Self {
            let mut fragment = redis::Fragment::new();
            fragment.token("INCRBY");
            fragment.push(redis::ToArg::to_arg(encoding, redis::Utf8));
            fragment.push(redis::ToArg::to_arg(offset, redis::Utf8));
            fragment.push(redis::Arg::from_i64(increment));
            Self(fragment)
        }

        /// What the next `set` and `incrby` operations do on overflow.
        #[doc(alias = "OVERFLOW")]
        pub fn overflow(overflow: BitfieldOverflow) -> Self {
            let mut fragment = redis::Fragment::new();
            fragment.token("OVERFLOW");
            fragment.token(overflow.token());
            Self(fragment)
        }
    }
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

    pub static BITFIELD: redis::Spec = redis::Spec {
        name: "BITFIELD",
        wire: b"$8\r\nBITFIELD\r\n",
        words: 1,
        flags: redis::Flags::WRITE.union(redis::Flags::DENYOOM),
        since: redis::Since {
            redis: Some("3.2.0"),
            valkey: Some("3.2.0"),
        },
        needs: &[],
    };

    /// Commands without a method: the runtime drives them.
    pub static DRIVEN: &[&redis::Spec] = &[];
}
