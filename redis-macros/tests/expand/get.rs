#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
mod traits {
    use super::{args, options, replies, spec};
    use redis_client::__private as redis;

    /// Commands of the group “string”.
    ///
    /// - [`get`](StringCommands::get): Returns the string value of a key.
    pub trait StringCommands: redis::Executor {
        /// Returns the string value of a key.
        ///
        /// `None` if the key does not exist. A key that holds anything but a string is an error (`WRONGTYPE`).
        ///
        /// ```text
        /// GET key
        /// ```
        ///
        /// # Arguments
        ///
        /// - `key` (key): name of the key.
        ///
        /// # Reply
        ///
        /// `Option<N>`: a value, or `None`. `N` is the encoder's type: `String` by default.
        ///
        /// Since Redis 1.0.0, in every Valkey. Complexity: O(1). Only reads.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/get/), [valkey.io](https://valkey.io/commands/get/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// client.set("key", "value").await?;
        /// assert_eq!(client.get("key").await?, Some("value".to_owned()));
        /// assert_eq!(client.get("missing").await?, None);
        /// ```
        #[doc(alias = "GET")]
        fn get<'a>(
            &'a self,
            key: impl redis::ToArg<'a, Self::Encoder>,
        ) -> redis::Call<'a, Self, redis::kind::Nullable<redis::kind::Native>> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::GET);
            command.push_key(0, redis::ToArg::to_arg(key, encoder));
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

    pub static GET: redis::Spec = redis::Spec {
        name: "GET",
        wire: b"$3\r\nGET\r\n",
        words: 1,
        flags: redis::Flags::READONLY.union(redis::Flags::FAST),
        since: redis::Since {
            redis: Some("1.0.0"),
            valkey: Some("1.0.0"),
        },
        needs: &[],
    };

    /// Commands without a method: the runtime drives them.
    pub static DRIVEN: &[&redis::Spec] = &[];
}
