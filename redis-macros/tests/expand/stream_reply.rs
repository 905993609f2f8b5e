#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
mod traits {
    use super::{args, options, replies, spec};
    use redis_client::__private as redis;

    /// Commands of the group “stream”.
    ///
    /// - [`xrange`](StreamCommands::xrange): Returns the entries of a stream whose IDs are in a range, lowest ID first.
    /// - [`xinfo_stream`](StreamCommands::xinfo_stream): Describes a stream.
    pub trait StreamCommands: redis::Executor {
        /// Returns the entries of a stream whose IDs are in a range, lowest ID first.
        ///
        /// ```text
        /// XRANGE key start end [COUNT count]
        /// ```
        ///
        /// # Arguments
        ///
        /// - `key` (key): the stream's key.
        /// - `.start(start)` (chained, `-` without it; text, whatever the encoder): the lowest ID: `-` for the lowest there is, `(1-0` for above 1-0.
        /// - `.end(end)` (chained, `+` without it; text, whatever the encoder): the highest ID: `+` for the highest there is, `(9-0` for below 9-0.
        /// - `.count(count)` (optional, chained; integer): how many entries, at most. Sends `COUNT count`.
        ///
        /// # Reply
        ///
        /// `ListReply<StreamEntry<N>>`: a stream of the elements, or all of them at once with `.aslist()`. `N` is the encoder's type: `String` by default.
        ///
        /// Since Redis 5.0.0, in every Valkey. Complexity: O(N), N: number of entries returned. Only reads.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/xrange/), [valkey.io](https://valkey.io/commands/xrange/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// client.xadd("events", [("user", "anna")]).id("1-0").await?;
        /// client.xadd("events", [("user", "ben")]).id("2-0").await?;
        /// let entries = client.xrange("events").start("(1-0").await?.aslist().await?;
        /// assert_eq!(entries[0].id, "2-0");
        /// assert_eq!(client.xrange_aslist("events").count(10).await?.len(), 2);
        /// ```
        #[doc(alias = "XRANGE")]
        fn xrange<'a>(
            &'a self,
            key: impl redis::ToArg<'a, Self::Encoder>,
        ) -> options::Xrange<'a, Self> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::XRANGE);
            command.push_key(0, redis::ToArg::to_arg(key, encoder));
            command.token(1, "-");
            command.token(2, "+");
            options::Xrange(redis::Call::new(self, command))
        }

        /// [`xrange`](StreamCommands::xrange), with its reply collected into a `Vec`.
        fn xrange_aslist<'a>(
            &'a self,
            key: impl redis::ToArg<'a, Self::Encoder>,
        ) -> options::Xrange<'a, Self, redis::kind::AsList<replies::kind::StreamEntry>> {
            options::Xrange(self.xrange(key).0.cast())
        }

        /// Describes a stream.
        ///
        /// ```text
        /// XINFO STREAM key
        /// ```
        ///
        /// # Arguments
        ///
        /// - `key` (key): the stream's key.
        ///
        /// # Reply
        ///
        /// `StreamInfo<N>`: what `XINFO STREAM` says about a stream. `N` is the encoder's type: `String` by default.
        ///
        /// Since Redis 5.0.0, in every Valkey. Complexity: O(1). Only reads.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/xinfo-stream/), [valkey.io](https://valkey.io/commands/xinfo-stream/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// client.xadd("jobs", [("task", "mail")]).id("1-0").await?;
        /// let info = client.xinfo_stream("jobs").await?;
        /// assert_eq!((info.length, info.last_generated_id.as_str()), (1, "1-0"));
        /// ```
        #[doc(alias = "XINFO STREAM")]
        fn xinfo_stream<'a>(
            &'a self,
            key: impl redis::ToArg<'a, Self::Encoder>,
        ) -> redis::Call<'a, Self, replies::kind::StreamInfo> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::XINFO_STREAM);
            command.push_key(0, redis::ToArg::to_arg(key, encoder));
            redis::Call::new(self, command)
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

    /// What [`xrange`](super::StreamCommands::xrange) returns: call its options, then `.await` it.
    #[must_use = "nothing is sent until this is awaited"]
    pub struct Xrange<
        'a,
        X: redis::Executor,
        R = redis::kind::ListReply<replies::kind::StreamEntry>,
    >(
        pub(super) redis::Call<'a, X, R>,
    );

    impl<'a, X: redis::Executor, R> Xrange<'a, X, R> {
        /// The lowest ID: `-` for the lowest there is, `(1-0` for above 1-0.
        ///
        /// Without this call it is `-`.
        pub fn start(mut self, start: impl redis::ToArg<'a, redis::Utf8>) -> Self {
            let command = self.0.command_mut();
            command.clear(1, 1);
            command.push(1, redis::ToArg::to_arg(start, redis::Utf8));
            self
        }

        /// The highest ID: `+` for the highest there is, `(9-0` for below 9-0.
        ///
        /// Without this call it is `+`.
        pub fn end(mut self, end: impl redis::ToArg<'a, redis::Utf8>) -> Self {
            let command = self.0.command_mut();
            command.clear(2, 2);
            command.push(2, redis::ToArg::to_arg(end, redis::Utf8));
            self
        }

        /// How many entries, at most.
        ///
        /// Sends `COUNT count`.
        #[doc(alias = "COUNT")]
        pub fn count(mut self, count: i64) -> Self {
            let command = self.0.command_mut();
            command.clear(3, 4);
            command.token(3, "COUNT");
            command.push(4, redis::Arg::from_i64(count));
            self
        }
    }

    impl<'a, X: redis::Executor, R: redis::ReplyKind<X::Encoder>> ::core::future::Future
    for Xrange<'a, X, R> {
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

    impl<'a, X: redis::Executor, R> redis::Request<'a> for Xrange<'a, X, R> {
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

    /// What `XINFO STREAM` says about a stream.
    #[derive(Debug, Clone, PartialEq)]
    #[non_exhaustive]
    pub struct StreamInfo<N> {
        /// How many entries the stream has.
        pub length: i64,
        /// The highest ID ever added.
        pub last_generated_id: String,
        /// The highest ID ever deleted, `0-0` for none (7.0 and later).
        pub max_deleted_entry_id: Option<String>,
        /// The oldest entry; None if the stream is empty.
        pub first_entry: Option<StreamEntry<N>>,
        /// The newest entry; None if the stream is empty.
        pub last_entry: Option<StreamEntry<N>>,
        /// Fields that this version of the library does not know.
        pub other: Vec<(String, Value)>,
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

        /// [`StreamInfo`](super::StreamInfo)
        #[derive(Debug)]
        pub struct StreamInfo;

        impl<E: redis::Encoder> redis::ReplyKind<E> for StreamInfo {
            type Value = replies::StreamInfo<E::Native>;
            fn accepts(shape: redis::Shape) -> bool {
                ::core::matches!(shape, redis::Shape::Map | redis::Shape::Array)
            }
            fn decode(
                reply: &mut redis::Decoder<'_>,
                encoder: E,
            ) -> ::core::result::Result<Self::Value, redis::DecodeError> {
                let mut field_length = None;
                let mut field_last_generated_id = None;
                let mut field_max_deleted_entry_id = None;
                let mut field_first_entry = None;
                let mut field_last_entry = None;
                let mut other = Vec::new();
                let mut entries = reply.entries()?;
                while let Some(key) = entries.key()? {
                    match key.as_bytes() {
                        b"length" => {
                            field_length = Some(
                                entries.value::<E, redis::kind::Integer>(encoder)?,
                            );
                        }
                        b"last-generated-id" => {
                            field_last_generated_id = Some(
                                entries.value::<E, redis::kind::Text>(encoder)?,
                            );
                        }
                        b"max-deleted-entry-id" => {
                            field_max_deleted_entry_id = Some(
                                entries
                                    .value::<
                                        E,
                                        redis::kind::Nullable<redis::kind::Text>,
                                    >(encoder)?,
                            );
                        }
                        b"first-entry" => {
                            field_first_entry = Some(
                                entries
                                    .value::<
                                        E,
                                        redis::kind::Nullable<replies::kind::StreamEntry>,
                                    >(encoder)?,
                            );
                        }
                        b"last-entry" => {
                            field_last_entry = Some(
                                entries
                                    .value::<
                                        E,
                                        redis::kind::Nullable<replies::kind::StreamEntry>,
                                    >(encoder)?,
                            );
                        }
                        _ => {
                            other
                                .push((
                                    key.to_text_lossy(),
                                    entries.value::<E, redis::kind::Value>(encoder)?,
                                ))
                        }
                    }
                }
                Ok(replies::StreamInfo {
                    length: field_length
                        .ok_or_else(|| redis::DecodeError::missing("length"))?,
                    last_generated_id: field_last_generated_id
                        .ok_or_else(|| redis::DecodeError::missing(
                            "last-generated-id",
                        ))?,
                    max_deleted_entry_id: field_max_deleted_entry_id.flatten(),
                    first_entry: field_first_entry.flatten(),
                    last_entry: field_last_entry.flatten(),
                    other,
                })
            }
        }
    }
}

#[doc(hidden)]
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod spec {
    use redis_client::__private as redis;

    pub static XRANGE: redis::Spec = redis::Spec {
        name: "XRANGE",
        wire: b"$6\r\nXRANGE\r\n",
        words: 1,
        flags: redis::Flags::READONLY,
        since: redis::Since {
            redis: Some("5.0.0"),
            valkey: Some("5.0.0"),
        },
        needs: &[],
    };

    pub static XINFO_STREAM: redis::Spec = redis::Spec {
        name: "XINFO STREAM",
        wire: b"$5\r\nXINFO\r\n$6\r\nSTREAM\r\n",
        words: 2,
        flags: redis::Flags::READONLY,
        since: redis::Since {
            redis: Some("5.0.0"),
            valkey: Some("5.0.0"),
        },
        needs: &[],
    };

    /// Commands without a method: the runtime drives them.
    pub static DRIVEN: &[&redis::Spec] = &[];
}
