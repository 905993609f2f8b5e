#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
mod traits {
    use super::{args, options, replies, spec};
    use redis_client::__private as redis;

    /// Commands of the group “stream”.
    ///
    /// - [`xread`](StreamCommands::xread): Returns the entries of streams that come after given IDs, if asked to waits for one.
    pub trait StreamCommands: redis::Executor {
        /// Returns the entries of streams that come after given IDs, if asked to waits for one.
        ///
        /// An ID is the last one seen: `0` returns all entries, `$` only entries yet to come (with `block`), `+` the last entry (Redis 7.4, Valkey 8.0).
        ///
        /// The reply has only the streams with entries to return, and is None if there are none. After `$` go on with the last ID got, not with `$`.
        ///
        /// ```text
        /// XREAD [COUNT count] [BLOCK block] STREAMS key [key ...] id [id ...]
        /// ```
        ///
        /// # Arguments
        ///
        /// - `streams` (pairs of key and id): keys, each with the last ID seen.
        /// - `.count(count)` (optional, chained; integer): how many entries of each stream, at most. Sends `COUNT count`.
        /// - `.block(block)` (optional, chained; number of milliseconds, or `Duration`): how long to wait for an entry; 0 waits for ever. Sends `BLOCK block`.
        ///
        /// # Reply
        ///
        /// `Option<Vec<(N, Vec<StreamEntry<N>>)>>`: a list of pairs, in the server's order, or `None`. `N` is the encoder's type: `String` by default.
        ///
        /// Since Redis 5.0.0, in every Valkey. Complexity: O(N) for each stream, N: number of entries returned. Only reads.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/xread/), [valkey.io](https://valkey.io/commands/xread/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// client.xadd("events", [("user", "anna")]).id("1-0").await?;
        /// client.xadd("events", [("user", "ben")]).id("2-0").await?;
        /// let streams = client.xread([("events", "1-0")]).count(10).await?.unwrap_or_default();
        /// assert_eq!((streams[0].0.as_str(), streams[0].1[0].id.as_str()), ("events", "2-0"));
        /// assert_eq!(client.xread([("events", "2-0")]).block(std::time::Duration::from_millis(5)).await?, None);
        /// ```
        #[doc(alias = "XREAD")]
        #[doc(alias = "STREAMS")]
        fn xread<'a>(
            &'a self,
            streams: impl IntoIterator<
                Item = impl redis::ToPair<'a, Self::Encoder, redis::kind::Text>,
            >,
        ) -> options::Xread<'a, Self> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::XREAD);
            command.token(4, "STREAMS");
            for pair in streams {
                let (first, second) = <_ as redis::ToPair<
                    'a,
                    Self::Encoder,
                    redis::kind::Text,
                >>::to_pair(pair, encoder);
                command.push_key(5, first);
                command.push(6, second);
            }
            options::Xread(redis::Call::new(self, command))
        }
    }

    impl<X: redis::Executor> StreamCommands for X {}
    /// All groups of commands in one bound.
    pub trait Commands: redis::Executor + StreamCommands {}
    impl<X: redis::Executor + StreamCommands> Commands for X {}
}

pub use traits::{Commands, StreamCommands};

/// What the methods of commands with options return: chained calls, then `.await`.
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod options {
    use super::{args, replies};
    use redis_client::__private as redis;

    /// What [`xread`](super::StreamCommands::xread) returns: call its options, then `.await` it.
    #[must_use = "nothing is sent until this is awaited"]
    pub struct Xread<
        'a,
        X: redis::Executor,
        R
            = redis::kind::Nullable<
                redis::kind::Pairs<
                    redis::kind::Native,
                    redis::kind::List<replies::kind::StreamEntry>,
                >,
            >,
    >(
        pub(super) redis::Call<'a, X, R>,
    );

    impl<'a, X: redis::Executor, R> Xread<'a, X, R> {
        /// How many entries of each stream, at most.
        ///
        /// Sends `COUNT count`.
        #[doc(alias = "COUNT")]
        pub fn count(mut self, count: i64) -> Self {
            let command = self.0.command_mut();
            command.clear(0, 1);
            command.token(0, "COUNT");
            command.push(1, redis::Arg::from_i64(count));
            self
        }

        /// How long to wait for an entry; 0 waits for ever.
        ///
        /// Sends `BLOCK block`.
        #[doc(alias = "BLOCK")]
        pub fn block(mut self, block: impl redis::ToTimeout) -> Self {
            let command = self.0.command_mut();
            command.clear(2, 3);
            command.token(2, "BLOCK");
            let timeout = redis::ToTimeout::to_timeout_ms(block);
            command.block_for(timeout);
            command.push(3, timeout.milliseconds_arg());
            command.add_flags(redis::Flags::BLOCKING);
            self
        }
    }

    impl<'a, X: redis::Executor, R: redis::ReplyKind<X::Encoder>> ::core::future::Future
    for Xread<'a, X, R> {
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

    impl<'a, X: redis::Executor, R> redis::Request<'a> for Xread<'a, X, R> {
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

    /// One entry of a stream.
    #[derive(Debug, Clone, PartialEq)]
    #[non_exhaustive]
    pub struct StreamEntry<N> {
        /// The entry's ID, `milliseconds-sequence`.
        pub id: String,
        /// The fields and their values in the order they were added; None if a pending entry has been deleted from the stream.
        pub fields: Option<Vec<(N, N)>>,
    }

    /// The kinds of these structs, as a command's reply.
    pub mod kind {
        use super::super::replies;
        use redis_client::__private as redis;

        /// [`StreamEntry`](super::StreamEntry)
        #[derive(Debug)]
        pub struct StreamEntry;

        impl<E: redis::Encoder> redis::ReplyKind<E> for StreamEntry {
            type Value = replies::StreamEntry<E::Native>;
            fn accepts(shape: redis::Shape) -> bool {
                ::core::matches!(shape, redis::Shape::Array)
            }
            fn decode(
                reply: &mut redis::Decoder<'_>,
                encoder: E,
            ) -> ::core::result::Result<Self::Value, redis::DecodeError> {
                let mut fields = reply.fields()?;
                let value = replies::StreamEntry {
                    id: fields.next::<E, redis::kind::Text>("id", encoder)?,
                    fields: fields
                        .next::<
                            E,
                            redis::kind::Nullable<
                                redis::kind::Pairs<redis::kind::Native, redis::kind::Native>,
                            >,
                        >("fields", encoder)?,
                };
                fields.finish()?;
                Ok(value)
            }
        }
    }
}

#[doc(hidden)]
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod spec {
    use redis_client::__private as redis;

    pub static XREAD: redis::Spec = redis::Spec {
        name: "XREAD",
        wire: b"$5\r\nXREAD\r\n",
        words: 1,
        flags: redis::Flags::READONLY.union(redis::Flags::MOVABLEKEYS),
        since: redis::Since {
            redis: Some("5.0.0"),
            valkey: Some("5.0.0"),
        },
        needs: &[],
    };

    /// Commands without a method: the runtime drives them.
    pub static DRIVEN: &[&redis::Spec] = &[];
}
