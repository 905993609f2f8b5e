use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::poll_fn;
use std::hash::Hash;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use super::{ReplyKind, StreamHead, kind};
use crate::connection::Chunks;
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::resp::{DecodeError, Decoder, Frame, Shape};

/// The elements of an aggregate: those at hand, and where the others come from.
#[derive(Debug)]
pub(crate) struct Elements {
    frame: Frame,
    at: usize,
    /// Elements (or pairs) that have not been handed out.
    left: u64,
    /// Whether the elements are pairs in arrays of their own. Known from the first one.
    nested: Option<bool>,
    shape: Shape,
    rest: Option<Chunks>,
}

impl Elements {
    pub(crate) fn of_frame(reply: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let shape = reply.shape();
        if !matches!(shape, Shape::Array | Shape::Map | Shape::Set) {
            // The right error comes from the attempt.
            reply.array()?;
        }
        let frame = reply.take_frame();
        let mut decoder = Decoder::new(&frame);
        let left = decoder.array()?;
        let at = decoder.position();
        Ok(Self {
            frame,
            at,
            left: left as u64,
            nested: None,
            shape,
            rest: None,
        })
    }

    pub(crate) fn of_stream(head: StreamHead) -> Result<Self, DecodeError> {
        if !matches!(head.shape, Shape::Array | Shape::Map | Shape::Set) {
            return Err(DecodeError::mismatch("array", head.shape));
        }
        Ok(Self {
            frame: Frame::from(Bytes::new()),
            at: 0,
            left: head.len,
            nested: None,
            shape: head.shape,
            rest: Some(head.chunks),
        })
    }

    /// Waits until an element is at hand; false at the end.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<()>>> {
        loop {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            if self.at < self.frame.bytes().len() {
                return Poll::Ready(Some(Ok(())));
            }
            let chunk = match &mut self.rest {
                Some(chunks) => ready!(chunks.poll_next(cx)),
                None => None,
            };
            match chunk {
                Some(Ok(bytes)) => {
                    self.frame = Frame::from(bytes);
                    self.at = 0;
                }
                end => {
                    self.left = 0;
                    return Poll::Ready(end.map(|end| end.map(drop)));
                }
            }
        }
    }

    /// Takes the element at hand. One that does not decode is skipped.
    fn take<T>(
        &mut self,
        size: u64,
        decode: impl FnOnce(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Result<T> {
        let mut decoder = Decoder::resume(self.frame.bytes(), self.frame.shared(), self.at);
        let result = decode(&mut decoder);
        if result.is_err() {
            decoder = Decoder::resume(self.frame.bytes(), self.frame.shared(), self.at);
            for _ in 0..size {
                decoder.skip();
            }
        }
        self.at = decoder.position();
        self.left = self.left.saturating_sub(size);
        result.map_err(Error::decode)
    }

    fn pairs_nested(&mut self) -> bool {
        let (frame, at, shape) = (&self.frame, self.at, self.shape);
        *self.nested.get_or_insert_with(|| {
            shape != Shape::Map
                && Decoder::resume(frame.bytes(), frame.shared(), at).shape() == Shape::Array
        })
    }

    fn is_complete(&self) -> bool {
        self.rest.is_none() || self.left == 0
    }
}

type Decode<T> = Box<dyn Fn(&mut Decoder<'_>) -> Result<T, DecodeError> + Send + Sync>;
type DecodePair<K, V> =
    Box<dyn Fn(&mut Decoder<'_>, bool) -> Result<(K, V), DecodeError> + Send + Sync>;

macro_rules! sequence {
    ($(#[$doc:meta])* $name:ident, $collect:ident -> $collection:ty, $(where $($bound:tt)+)?) => {
        $(#[$doc])*
        ///
        /// It is a [`Stream`]. A reply that was small enough is here already; of a large one the next
        /// elements are read off the connection as they are taken. Dropping it skips the rest.
        /// An element that does not decode is an error of its own; the stream goes on after it.
        #[must_use = "the elements are read from here"]
        pub struct $name<T> {
            elements: Elements,
            /// A box of a function and an encoder without size: no allocation.
            decode: Decode<T>,
        }

        impl<T: 'static> $name<T> {
            pub(crate) fn new<E: Encoder, R: ReplyKind<E, Value = T> + 'static>(elements: Elements, encoder: E) -> Result<Self, DecodeError> {
                Ok(Self { elements, decode: Box::new(move |decoder| R::decode(decoder, encoder)) })
            }

            /// The next element; `None` after the last one.
            pub async fn next(&mut self) -> Option<Result<T>> {
                poll_fn(|cx| self.poll_element(cx)).await
            }

            /// How many elements are still to come.
            pub fn remaining(&self) -> u64 {
                self.elements.left
            }

            /// Whether everything that is left is here already.
            pub fn is_complete(&self) -> bool {
                self.elements.is_complete()
            }

            /// All (remaining) elements in a collection of the caller's choice.
            pub async fn collect<C: Default + Extend<T>>(mut self) -> Result<C> {
                let mut collection = C::default();
                loop {
                    let ready = poll_fn(|cx| self.elements.poll_ready(cx)).await;
                    match ready {
                        None => return Ok(collection),
                        Some(ready) => ready?,
                    }
                    let mut failure = None;
                    collection.extend(Buffered { elements: &mut self.elements, size: 1, decode: &self.decode, failure: &mut failure });
                    if let Some(error) = failure {
                        return Err(error);
                    }
                }
            }

            /// All (remaining) elements.
            pub async fn $collect(self) -> Result<$collection> $(where $($bound)+)? {
                self.collect().await
            }

            fn poll_element(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
                match ready!(self.elements.poll_ready(cx)) {
                    None => Poll::Ready(None),
                    Some(Err(error)) => Poll::Ready(Some(Err(error))),
                    Some(Ok(())) => Poll::Ready(Some(self.elements.take(1, &self.decode))),
                }
            }
        }

        impl<T: 'static> Stream for $name<T> {
            type Item = Result<T>;

            fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                self.get_mut().poll_element(cx)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (0, usize::try_from(self.elements.left).ok())
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("remaining", &self.elements.left).finish_non_exhaustive()
            }
        }
    };
}

sequence! {
    /// A list.
    ListReply, aslist -> Vec<T>,
}

sequence! {
    /// A set.
    SetReply, asset -> HashSet<T>, where T: Hash + Eq
}

/// The elements at hand, as an iterator that tells how many they are.
struct Buffered<'e, F> {
    elements: &'e mut Elements,
    size: u64,
    decode: F,
    failure: &'e mut Option<Error>,
}

impl<T, F: Fn(&mut Decoder<'_>) -> Result<T, DecodeError>> Iterator for Buffered<'_, F> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.elements.left == 0 || self.elements.at >= self.elements.frame.bytes().len() {
            return None;
        }
        match self.elements.take(self.size, &self.decode) {
            Ok(value) => Some(value),
            Err(error) => {
                *self.failure = Some(error);
                None
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let at_hand = self
            .elements
            .frame
            .bytes()
            .len()
            .saturating_sub(self.elements.at)
            / 4;
        let left = usize::try_from(self.elements.left / self.size).unwrap_or(usize::MAX);
        (left.min(at_hand), None)
    }
}

macro_rules! mapping {
    ($(#[$doc:meta])* $name:ident<$($param:ident),+>, $key:ty, $value:ty, $(where $($bound:tt)+)?) => {
        $(#[$doc])*
        ///
        /// It is a [`Stream`] of pairs, in the order of the server. A reply that was small enough is
        /// here already; of a large one the next pairs are read off the connection as they are taken.
        /// Dropping it skips the rest. A pair that does not decode is an error of its own; the
        /// stream goes on after it.
        #[must_use = "the elements are read from here"]
        pub struct $name<$($param),+> {
            elements: Elements,
            decode: DecodePair<$key, $value>,
        }

        impl<$($param: 'static),+> $name<$($param),+> {
            /// The next pair; `None` after the last one.
            pub async fn next(&mut self) -> Option<Result<($key, $value)>> {
                poll_fn(|cx| self.poll_element(cx)).await
            }

            /// Whether everything that is left is here already.
            pub fn is_complete(&self) -> bool {
                self.elements.is_complete()
            }

            /// All (remaining) pairs in a collection of the caller's choice.
            pub async fn collect<C: Default + Extend<($key, $value)>>(mut self) -> Result<C> {
                let mut collection = C::default();
                loop {
                    let ready = poll_fn(|cx| self.elements.poll_ready(cx)).await;
                    match ready {
                        None => return Ok(collection),
                        Some(ready) => ready?,
                    }
                    let nested = self.elements.pairs_nested();
                    let decode = |decoder: &mut Decoder<'_>| (self.decode)(decoder, nested);
                    let mut failure = None;
                    let size = if nested { 1 } else { 2 };
                    collection.extend(Buffered { elements: &mut self.elements, size, decode, failure: &mut failure });
                    if let Some(error) = failure {
                        return Err(error);
                    }
                }
            }

            /// All (remaining) pairs as a map.
            pub async fn asdict(self) -> Result<HashMap<$key, $value>> where $key: Hash + Eq {
                self.collect().await
            }

            fn poll_element(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<($key, $value)>>> {
                match ready!(self.elements.poll_ready(cx)) {
                    None => Poll::Ready(None),
                    Some(Err(error)) => Poll::Ready(Some(Err(error))),
                    Some(Ok(())) => {
                        let nested = self.elements.pairs_nested();
                        let size = if nested { 1 } else { 2 };
                        Poll::Ready(Some(self.elements.take(size, |decoder| (self.decode)(decoder, nested))))
                    }
                }
            }
        }

        impl<$($param: 'static),+> Stream for $name<$($param),+> {
            type Item = Result<($key, $value)>;

            fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                self.get_mut().poll_element(cx)
            }
        }

        impl<$($param),+> fmt::Debug for $name<$($param),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("remaining", &self.elements.left).finish_non_exhaustive()
            }
        }
    };
}

mapping! {
    /// A map.
    DictReply<K, V>, K, V,
}

mapping! {
    /// Members of a sorted set with their scores.
    ZRangeReply<N>, N, f64,
}

impl<K: 'static, V: 'static> DictReply<K, V> {
    pub(crate) fn new<
        E: Encoder,
        A: ReplyKind<E, Value = K> + 'static,
        B: ReplyKind<E, Value = V> + 'static,
    >(
        elements: Elements,
        encoder: E,
    ) -> Result<Self, DecodeError> {
        Ok(Self {
            elements,
            decode: Box::new(move |decoder, nested| {
                kind::pair::<E, A, B>(decoder, nested, encoder)
            }),
        })
    }
}

impl<N: 'static> ZRangeReply<N> {
    pub(crate) fn new<E: Encoder<Native = N>>(
        elements: Elements,
        encoder: E,
    ) -> Result<Self, DecodeError> {
        Ok(Self {
            elements,
            decode: Box::new(move |decoder, nested| {
                kind::pair::<E, kind::Native, kind::Float>(decoder, nested, encoder)
            }),
        })
    }

    /// All (remaining) members, in the order of the server, without their scores.
    pub async fn aslist(self) -> Result<Vec<N>> {
        let pairs: Vec<(N, f64)> = self.collect().await?;
        Ok(pairs.into_iter().map(|(member, _)| member).collect())
    }
}

/// A string that is read in pieces, in bounded memory: an [`AsyncRead`] and [`AsyncBufRead`].
/// Dropping it skips the rest, or closes the connection when too much is left.
#[derive(Debug)]
pub struct BulkReader {
    piece: Bytes,
    /// Bytes of the string that are neither read nor in `piece`.
    left: u64,
    rest: Option<Chunks>,
}

impl BulkReader {
    pub(crate) fn of_bytes(bytes: Bytes) -> Self {
        Self {
            piece: bytes,
            left: 0,
            rest: None,
        }
    }

    pub(crate) fn of_stream(head: StreamHead) -> Self {
        Self {
            piece: Bytes::new(),
            left: head.len,
            rest: Some(head.chunks),
        }
    }

    /// Bytes that are still to be read.
    pub fn remaining(&self) -> u64 {
        self.left + self.piece.len() as u64
    }

    /// The next piece, as it arrived; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        poll_fn(|cx| self.poll_piece(cx))
            .await
            .map(|()| Some(std::mem::take(&mut self.piece)))
            .transpose()
            .and_then(|piece| match piece {
                Ok(piece) if piece.is_empty() => None,
                piece => Some(piece),
            })
    }

    /// Waits until a piece is at hand, or the end has come.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while self.piece.is_empty() && self.left > 0 {
            let Some(chunks) = &mut self.rest else { break };
            match ready!(chunks.poll_next(cx)) {
                Some(Ok(bytes)) => {
                    self.left = self.left.saturating_sub(bytes.len() as u64);
                    self.piece = bytes;
                }
                Some(Err(error)) => {
                    self.left = 0;
                    return Poll::Ready(Err(error));
                }
                None => self.left = 0,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for BulkReader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_piece(cx)).map_err(io::Error::other)?;
        let take = this.piece.len().min(buffer.remaining());
        buffer.put_slice(&this.piece.split_to(take));
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for BulkReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_piece(cx)).map_err(io::Error::other)?;
        Poll::Ready(Ok(&this.piece))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        this.piece.advance(amount.min(this.piece.len()));
    }
}
