//! Cursors: all keys, members or fields, a page at a time.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::{Future, poll_fn};
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::arg::{Arg, ToArg};
use crate::call::Executor;
use crate::client::AnyClient;
use crate::commands::{GenericCommands, HashCommands, SetCommands, SortedSetCommands};
use crate::encoder::{Encoder, Utf8};
use crate::error::Result;
use crate::reply::ScanPart;

type Page<T> = Pin<Box<dyn Future<Output = Result<ScanPart<Vec<T>>>> + Send>>;

/// What all cursors have in common: where they are, and what they have at hand.
struct Walk<E: Encoder, T> {
    client: AnyClient<E>,
    options: Options,
    /// `None` at the end.
    cursor: Option<u64>,
    page: std::vec::IntoIter<T>,
    fetching: Option<Page<T>>,
}

/// What each page is asked for with.
#[derive(Default, Clone)]
struct Options {
    key: Vec<u8>,
    pattern: Option<Vec<u8>>,
    count: Option<i64>,
    kind: Option<String>,
}

impl<E: Encoder, T> Walk<E, T> {
    fn poll_item(
        &mut self,
        cx: &mut Context<'_>,
        fetch: impl Fn(AnyClient<E>, Options, u64) -> Page<T>,
    ) -> Poll<Option<Result<T>>> {
        loop {
            if let Some(item) = self.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            let Some(cursor) = self.cursor else {
                return Poll::Ready(None);
            };
            let fetching = self
                .fetching
                .get_or_insert_with(|| fetch(self.client.clone(), self.options.clone(), cursor));
            let part = ready!(fetching.as_mut().poll(cx));
            self.fetching = None;
            match part {
                Ok(part) => {
                    self.cursor = Some(part.cursor).filter(|cursor| *cursor != 0);
                    self.page = part.items.into_iter();
                }
                // The cursor stays: fetching goes on from the same place.
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

macro_rules! cursors {
    ($($(#[$doc:meta])* $name:ident, $item:ty, |$client:ident, $options:ident, $cursor:ident| $call:expr, $all:ty, |$items:ident| $collect:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// A [`Stream`]. What is there from the beginning to the end comes at least once; what is added or
        /// removed meanwhile may come or not. An error does not end it: the next attempt goes on from the
        /// same place.
        #[must_use = "nothing is read before it is asked for"]
        pub struct $name<E: Encoder = Utf8>(Walk<E, $item>);

        impl<E: Encoder> $name<E> {
            pub(crate) fn new(client: AnyClient<E>, key: Vec<u8>) -> Self {
                Self(Walk {
                    client,
                    options: Options { key, ..Options::default() },
                    cursor: Some(0),
                    page: Vec::new().into_iter(),
                    fetching: None,
                })
            }

            fn fetch($client: AnyClient<E>, $options: Options, $cursor: u64) -> Page<$item> {
                Box::pin(async move {
                    let mut call = $call;
                    if let Some(pattern) = &$options.pattern {
                        call = call.match_(Arg::from(pattern.as_slice()));
                    }
                    if let Some(count) = $options.count {
                        call = call.count(count);
                    }
                    call.await
                })
            }

            /// Only what matches this glob-style pattern. The server filters after it has read a page, so
            /// that pages may be empty.
            #[doc(alias = "MATCH")]
            pub fn match_<'a>(mut self, pattern: impl ToArg<'a, E>) -> Self {
                let encoder = self.0.client.encoder();
                self.0.options.pattern = Some(pattern.to_arg(encoder).with_bytes(<[u8]>::to_vec));
                self
            }

            /// How many elements a page has, roughly. Default: the server's, which is 10.
            #[doc(alias = "COUNT")]
            pub fn count(mut self, elements: u32) -> Self {
                self.set_count(elements);
                self
            }

            /// Changes the size of the pages that are still to be read.
            pub fn set_count(&mut self, elements: u32) {
                self.0.options.count = Some(i64::from(elements));
            }

            /// The next element; `None` after the last one.
            pub async fn fetchone(&mut self) -> Result<Option<$item>> {
                poll_fn(|cx| self.0.poll_item(cx, Self::fetch)).await.transpose()
            }

            /// All (remaining) elements, each once.
            pub async fn fetchall(mut self) -> Result<$all>
            where
                E::Native: Hash + Eq + Clone,
            {
                let mut $items = Vec::new();
                while let Some(item) = self.fetchone().await? {
                    $items.push(item);
                }
                Ok($collect)
            }
        }

        impl<E: Encoder> Stream for $name<E> {
            type Item = Result<$item>;

            fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                self.get_mut().0.poll_item(cx, Self::fetch)
            }
        }

        impl<E: Encoder> Unpin for $name<E> {}

        impl<E: Encoder> fmt::Debug for $name<E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("cursor", &self.0.cursor).finish_non_exhaustive()
            }
        }
    )*};
}

cursors! {
    /// All keys of the database: [`scan`](crate::Connection::scan).
    Cursor, E::Native, |client, options, cursor| {
        let mut call = client.scan_part(cursor);
        if let Some(kind) = &options.kind {
            call = call.type_(kind);
        }
        call
    }, Vec<E::Native>, |items| {
        let mut seen = HashSet::with_capacity(items.len());
        items.retain(|item: &E::Native| seen.insert(item.clone()));
        items
    };
    /// All members of a set: [`sscan`](crate::Connection::sscan).
    SetCursor, E::Native, |client, options, cursor| client.sscan_part(Arg::from(options.key.as_slice()), cursor), HashSet<E::Native>, |items| items.drain(..).collect();
    /// All fields of a hash with their values: [`hscan`](crate::Connection::hscan).
    DictCursor, (E::Native, E::Native), |client, options, cursor| client.hscan_part(Arg::from(options.key.as_slice()), cursor), HashMap<E::Native, E::Native>, |items| items.drain(..).collect();
    /// All members of a sorted set with their scores: [`zscan`](crate::Connection::zscan).
    ZCursor, (E::Native, f64), |client, options, cursor| client.zscan_part(Arg::from(options.key.as_slice()), cursor), HashMap<E::Native, f64>, |items| items.drain(..).collect();
}

impl<E: Encoder> Cursor<E> {
    /// Only keys of this type (`string`, `list`, `set`, `zset`, `hash`, `stream`). Since Redis 6.0.
    #[doc(alias = "TYPE")]
    pub fn type_(mut self, name: impl Into<String>) -> Self {
        self.0.options.kind = Some(name.into());
        self
    }
}
