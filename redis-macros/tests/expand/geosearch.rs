#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
mod traits {
    use super::{args, options, replies, spec};
    use redis_client::__private as redis;

    /// Commands of the group “geo”.
    ///
    /// - [`geosearch`](GeoCommands::geosearch): Returns the members of a sorted set that lie within a circle or a rectangle around a centre.
    pub trait GeoCommands: redis::Executor {
        /// Returns the members of a sorted set that lie within a circle or a rectangle around a centre.
        ///
        /// ```text
        /// GEOSEARCH key <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <m | km | ft | mi> | BYBOX width height <m | km | ft | mi>> [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]
        /// ```
        ///
        /// # Arguments
        ///
        /// - `key` (key): the sorted set's key.
        /// - `from` (`GeoFrom`): the centre of the search.
        /// - `by` (`GeoBy`): the area of the search.
        /// - `.asc()` (optional, chained): nearest first. Sends `ASC`.
        /// - `.desc()` (optional, chained): farthest first. Sends `DESC`.
        /// - `.count(count)` (optional, chained): how many members, at most. Sends `COUNT count [ANY]`.
        /// - `.any()` (optional, chained): takes the first ones found, not the nearest: cheaper. Sends `ANY`.
        /// - `.withcoord()` (optional, chained): returns the positions as well. Sends `WITHCOORD`.
        /// - `.withdist()` (optional, chained): returns the distances from the centre as well. Sends `WITHDIST`.
        /// - `.withhash()` (optional, chained): returns the geohashes as integers as well. Sends `WITHHASH`.
        ///
        /// # Reply
        ///
        /// `Vec<N>`: a list. With `.withcoord()`: `Vec<GeoMember<N>>`. With `.withdist()`: `Vec<GeoMember<N>>`. With `.withhash()`: `Vec<GeoMember<N>>`. `N` is the encoder's type: `String` by default.
        ///
        /// Since Redis 6.2.0, in every Valkey. Complexity: O(N+log(M)), N: members in the grid-aligned box around the area, M: members in the area. Only reads.
        ///
        /// Documentation of the server: [redis.io](https://redis.io/docs/latest/commands/geosearch/), [valkey.io](https://valkey.io/commands/geosearch/).
        ///
        /// # Example
        ///
        /// ```ignore
        /// client.geoadd("sicily", [GeoPoint::new(13.361389, 38.115556, "Palermo"), GeoPoint::new(15.087269, 37.502669, "Catania")]).await?;
        /// let members = client.geosearch("sicily", GeoFrom::lonlat(15.0, 37.0), GeoBy::radius(200.0, GeoUnit::Kilometers)).asc().await?;
        /// assert_eq!(members, ["Catania", "Palermo"]);
        /// let area = GeoBy::rectangle(400.0, 400.0, GeoUnit::Kilometers);
        /// let members = client.geosearch("sicily", GeoFrom::member("Catania"), area).desc().count(1).withdist().await?;
        /// assert_eq!((members[0].member.as_str(), members[0].distance), ("Palermo", Some(166.2742)));
        /// ```
        #[doc(alias = "GEOSEARCH")]
        fn geosearch<'a>(
            &'a self,
            key: impl redis::ToArg<'a, Self::Encoder>,
            from: args::GeoFrom<'a, Self::Encoder>,
            by: args::GeoBy,
        ) -> options::Geosearch<'a, Self> {
            let encoder = redis::Executor::encoder(self);
            let mut command = redis::Command::new(&spec::GEOSEARCH);
            command.push_key(0, redis::ToArg::to_arg(key, encoder));
            command.push_fragment(1, from.0);
            command.push_fragment(2, by.0);
            options::Geosearch(redis::Call::new(self, command))
        }
    }

    impl<X: redis::Executor> GeoCommands for X {}
    /// All groups of commands in one bound.
    pub trait Commands: redis::Executor + GeoCommands {}
    impl<X: redis::Executor + GeoCommands> Commands for X {}
}

pub use traits::{Commands, GeoCommands};

/// What the methods of commands with options return: chained calls, then `.await`.
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod options {
    use super::{args, replies};
    use redis_client::__private as redis;

    /// What [`geosearch`](super::GeoCommands::geosearch) returns: call its options, then `.await` it.
    #[must_use = "nothing is sent until this is awaited"]
    pub struct Geosearch<
        'a,
        X: redis::Executor,
        R = redis::kind::List<redis::kind::Native>,
    >(
        pub(super) redis::Call<'a, X, R>,
    );

    impl<'a, X: redis::Executor, R> Geosearch<'a, X, R> {
        /// Nearest first.
        ///
        /// Sends `ASC`.
        #[doc(alias = "ASC")]
        pub fn asc(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(3, 4);
            command.token(3, "ASC");
            self
        }

        /// Farthest first.
        ///
        /// Sends `DESC`.
        #[doc(alias = "DESC")]
        pub fn desc(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(3, 4);
            command.token(4, "DESC");
            self
        }

        /// How many members, at most.
        ///
        /// Sends `COUNT count [ANY]`.
        ///
        /// - `count` (integer): how many members, at most.
        #[doc(alias = "COUNT")]
        pub fn count(mut self, count: i64) -> Self {
            let command = self.0.command_mut();
            command.clear(5, 6);
            command.token(5, "COUNT");
            command.push(6, redis::Arg::from_i64(count));
            self
        }

        /// Takes the first ones found, not the nearest: cheaper.
        ///
        /// Sends `ANY`.
        ///
        /// Needs `.count(…)` as well.
        #[doc(alias = "ANY")]
        pub fn any(mut self) -> Self {
            let command = self.0.command_mut();
            command.clear(7, 7);
            command.token(7, "ANY");
            self
        }

        /// Returns the positions as well.
        ///
        /// Sends `WITHCOORD`.
        ///
        /// Changes the reply to `Vec<GeoMember<N>>`.
        #[doc(alias = "WITHCOORD")]
        pub fn withcoord(
            mut self,
        ) -> Geosearch<'a, X, redis::kind::List<replies::kind::GeoMember>> {
            let command = self.0.command_mut();
            command.clear(8, 8);
            command.token(8, "WITHCOORD");
            Geosearch(self.0.cast())
        }

        /// Returns the distances from the centre as well.
        ///
        /// Sends `WITHDIST`.
        ///
        /// Changes the reply to `Vec<GeoMember<N>>`.
        #[doc(alias = "WITHDIST")]
        pub fn withdist(
            mut self,
        ) -> Geosearch<'a, X, redis::kind::List<replies::kind::GeoMember>> {
            let command = self.0.command_mut();
            command.clear(9, 9);
            command.token(9, "WITHDIST");
            Geosearch(self.0.cast())
        }

        /// Returns the geohashes as integers as well.
        ///
        /// Sends `WITHHASH`.
        ///
        /// Changes the reply to `Vec<GeoMember<N>>`.
        #[doc(alias = "WITHHASH")]
        pub fn withhash(
            mut self,
        ) -> Geosearch<'a, X, redis::kind::List<replies::kind::GeoMember>> {
            let command = self.0.command_mut();
            command.clear(10, 10);
            command.token(10, "WITHHASH");
            Geosearch(self.0.cast())
        }
    }

    impl<'a, X: redis::Executor, R: redis::ReplyKind<X::Encoder>> ::core::future::Future
    for Geosearch<'a, X, R> {
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

    impl<'a, X: redis::Executor, R> redis::Request<'a> for Geosearch<'a, X, R> {
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

    /// A unit of distance.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum GeoUnit {
        /// Metres (the server's default).
        #[doc(alias = "m")]
        Meters,
        /// Kilometres.
        #[doc(alias = "km")]
        Kilometers,
        /// Feet.
        #[doc(alias = "ft")]
        Feet,
        /// Miles.
        #[doc(alias = "mi")]
        Miles,
    }

    impl GeoUnit {
        /// What is sent for it.
        pub const fn token(self) -> &'static str {
            match self {
                Self::Meters => "m",
                Self::Kilometers => "km",
                Self::Feet => "ft",
                Self::Miles => "mi",
            }
        }
    }

    /// The area of the search: an argument of `GEOSEARCH`.
    #[derive(Debug, Clone)]
    pub struct GeoBy(pub(super) redis::Fragment<'static>);

    impl GeoBy {
        /// A circle.
        ///
        /// - `radius` (number): its radius.
        /// - `unit` (`GeoUnit`): the unit of the lengths, and of distances in the reply.
        #[doc(alias = "BYRADIUS")]
        pub fn radius(radius: impl redis::ToDouble, unit: GeoUnit) -> Self {
            let mut fragment = redis::Fragment::new();
            fragment.token("BYRADIUS");
            fragment.push(redis::ToDouble::to_double(radius));
            fragment.token(unit.token());
            Self(fragment)
        }

        /// A rectangle along the axes.
        ///
        /// - `width` (number): its width.
        /// - `height` (number): its height.
        /// - `unit` (`GeoUnit`): the unit of the lengths, and of distances in the reply.
        #[doc(alias = "BYBOX")]
        pub fn rectangle(
            width: impl redis::ToDouble,
            height: impl redis::ToDouble,
            unit: GeoUnit,
        ) -> Self {
            let mut fragment = redis::Fragment::new();
            fragment.token("BYBOX");
            fragment.push(redis::ToDouble::to_double(width));
            fragment.push(redis::ToDouble::to_double(height));
            fragment.token(unit.token());
            Self(fragment)
        }
    }

    /// The centre of the search: an argument of `GEOSEARCH`.
    #[derive(Debug, Clone)]
    pub struct GeoFrom<'a, E>(
        pub(super) redis::Fragment<'a>,
        ::core::marker::PhantomData<fn() -> E>,
    );

    impl<'a, E: redis::Encoder + ::core::default::Default> GeoFrom<'a, E> {
        /// The position of this member.
        #[doc(alias = "FROMMEMBER")]
        pub fn member(member: impl redis::ToArg<'a, E>) -> Self {
            let encoder = E::default();
            let mut fragment = redis::Fragment::new();
            fragment.token("FROMMEMBER");
            fragment.push(redis::ToArg::to_arg(member, encoder));
            Self(fragment, ::core::marker::PhantomData)
        }

        /// A position.
        ///
        /// - `longitude` (number): in degrees, -180 to 180.
        /// - `latitude` (number): in degrees, -85.05112878 to 85.05112878.
        #[doc(alias = "FROMLONLAT")]
        pub fn lonlat(
            longitude: impl redis::ToDouble,
            latitude: impl redis::ToDouble,
        ) -> Self {
            let mut fragment = redis::Fragment::new();
            fragment.token("FROMLONLAT");
            fragment.push(redis::ToDouble::to_double(longitude));
            fragment.push(redis::ToDouble::to_double(latitude));
            Self(fragment, ::core::marker::PhantomData)
        }
    }
}

/// Structs for replies.
#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]
pub mod replies {
    use ::std::collections::{HashMap, HashSet};
    use redis_client::__private::{Bytes, StatusReply, Value};

    /// A member found by `GEOSEARCH`, with what was asked for.
    #[derive(Debug, Clone, PartialEq)]
    #[non_exhaustive]
    pub struct GeoMember<N> {
        /// The member.
        pub member: N,
        /// How far it is from the centre, in the unit of the search; with `withdist`.
        pub distance: Option<f64>,
        /// Its geohash as a 52-bit integer; with `withhash`.
        pub hash: Option<i64>,
        /// Its longitude and latitude in degrees; with `withcoord`.
        pub position: Option<(f64, f64)>,
    }

    /// The kinds of these structs, as a command's reply.
    pub mod kind {
        use super::super::replies;
        use redis_client::__private as redis;

        /// [`GeoMember`](super::GeoMember)
        #[derive(Debug)]
        pub struct GeoMember;

        impl<E: redis::Encoder> redis::ReplyKind<E> for GeoMember {
            type Value = replies::GeoMember<E::Native>;
            fn accepts(shape: redis::Shape) -> bool {
                ::core::matches!(shape, redis::Shape::Array)
            }
            fn decode(
                reply: &mut redis::Decoder<'_>,
                encoder: E,
            ) -> ::core::result::Result<Self::Value, redis::DecodeError> {
                let mut fields = reply.fields()?;
                let value = replies::GeoMember {
                    member: fields.next::<E, redis::kind::Native>("member", encoder)?,
                    distance: fields
                        .next::<
                            E,
                            redis::kind::Nullable<redis::kind::Float>,
                        >("distance", encoder)?,
                    hash: fields
                        .next::<
                            E,
                            redis::kind::Nullable<redis::kind::Integer>,
                        >("hash", encoder)?,
                    position: fields
                        .next::<
                            E,
                            redis::kind::Nullable<
                                redis::kind::Pair<redis::kind::Float, redis::kind::Float>,
                            >,
                        >("position", encoder)?,
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

    pub static GEOSEARCH: redis::Spec = redis::Spec {
        name: "GEOSEARCH",
        wire: b"$9\r\nGEOSEARCH\r\n",
        words: 1,
        flags: redis::Flags::READONLY,
        since: redis::Since {
            redis: Some("6.2.0"),
            valkey: Some("6.2.0"),
        },
        needs: &[
            redis::Need {
                slot: 7,
                name: "any",
                of: 6,
                of_name: "count",
            },
        ],
    };

    /// Commands without a method: the runtime drives them.
    pub static DRIVEN: &[&redis::Spec] = &[];
}
