mod traits {
    #[allow(unused_imports)]
    use super::{args, options, replies, spec};

    #[allow(unused_imports)]
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
#[allow(missing_debug_implementations)]
pub mod options {
    #[allow(unused_imports)]
    use super::{args, replies};

    #[allow(unused_imports)]
    use redis_client::__private as redis;
}

/// Types of arguments: closed sets of tokens, and arguments of several parts.
pub mod args {
    #[allow(unused_imports)]
    use redis_client::__private as redis;
}

/// Structs for replies.
pub mod replies {
    #[allow(unused_imports)]
    use ::std::collections::{HashMap, HashSet};

    #[allow(unused_imports)]
    use redis_client::__private::{Bytes, StatusReply, Value};

    /// The kinds of these structs, as a command's reply.
    pub mod kind {
        #[allow(unused_imports)]
        use super::super::replies;

        #[allow(unused_imports)]
        use redis_client::__private as redis;
    }
}

#[doc(hidden)]
pub mod spec {
    #[allow(unused_imports)]
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
}
