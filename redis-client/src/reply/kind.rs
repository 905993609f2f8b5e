//! The words of the table for replies. A method's documentation names them; each says which Rust
//! type it gives.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::marker::PhantomData;

use bytes::Bytes;

use super::{ReplyKind, StreamHead, Streaming, parsed, streaming};
use crate::encoder::Encoder;
use crate::resp::{DecodeError, Decoder, Shape};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $(<$($param:ident $(= $default:ident)?),+>)?;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name$(<$($param $(= $default)?),+>)?($(PhantomData<fn() -> ($($param,)+)>)?);
    )*};
}

kinds! {
    /// A status such as `OK`: [`StatusReply`](crate::StatusReply).
    StatusReply;
    /// A string in the client's native type: [`Encoder::Native`].
    Native;
    /// Text, whatever the encoder: [`String`].
    Text;
    /// Bytes, whatever the encoder: [`Bytes`].
    Blob;
    /// An integer: [`i64`].
    Integer;
    /// A number: [`f64`].
    Float;
    /// A boolean: [`bool`].
    Bool;
    /// Anything, as a tree: [`Value`](crate::Value).
    Value;
    /// `R` or nothing: [`Option`].
    Nullable<R>;
    /// A streaming list: [`ListReply`](crate::ListReply).
    ListReply<R = Native>;
    /// A streaming set: [`SetReply`](crate::SetReply).
    SetReply<R = Native>;
    /// A streaming map: [`DictReply`](crate::DictReply).
    DictReply<K = Native, V = Native>;
    /// A streaming list of members with their scores: [`ZRangeReply`](crate::ZRangeReply).
    ZRangeReply;
    /// A [`ListReply`] that is collected: [`Vec`].
    AsList<R>;
    /// A [`SetReply`] that is collected: [`HashSet`].
    AsSet<R>;
    /// A [`DictReply`] or [`ZRangeReply`] that is collected: [`HashMap`].
    AsDict<K, V>;
    /// A list: [`Vec`].
    List<R>;
    /// A set: [`HashSet`].
    Set<R>;
    /// A map: [`HashMap`].
    Dict<K, V>;
    /// A map in the order of the server: [`Vec`] of pairs.
    Pairs<K, V>;
    /// Two values: a tuple.
    Pair<A, B>;
    /// A key and the element popped from it: [`BlockingPopReply`](crate::BlockingPopReply); nothing
    /// in time is the error [`Timeout`](crate::ErrorKind::Timeout).
    BlockingPopReply;
    /// `R`; nothing in time is the error [`Timeout`](crate::ErrorKind::Timeout).
    OrTimeout<R>;
    /// The text of INFO: [`InfoReply`](crate::InfoReply).
    InfoReply;
    /// The text of CLIENT LIST: [`ClientListReply`](crate::ClientListReply).
    ClientListReply;
    /// Configuration parameters: [`ConfigPairReply`](crate::ConfigPairReply).
    ConfigPairReply;
    /// Whatever a script returns: [`EvalScriptReply`](crate::EvalScriptReply).
    EvalScriptReply;
    /// A cursor and a part of what is scanned: [`ScanPart`](crate::ScanPart).
    ScanPart<R>;
    /// A string that is read in pieces: [`BulkReader`](crate::BulkReader).
    Reader;
}

/// Kinds that are read off one element without further parts.
macro_rules! simple {
    ($($kind:ident => $value:ty, |$reply:ident, $encoder:ident| $decode:expr, accepts ($shapes:pat);)*) => {$(
        impl<E: Encoder> ReplyKind<E> for $kind {
            type Value = $value;

            #[inline]
            fn decode($reply: &mut Decoder<'_>, $encoder: E) -> Result<$value, DecodeError> {
                $decode
            }

            fn accepts(shape: Shape) -> bool {
                matches!(shape, $shapes)
            }
        }
    )*};
}

simple! {
    StatusReply => parsed::StatusReply, |reply, _e| Ok(parsed::StatusReply::new(reply.blob()?)), accepts (Shape::Status | Shape::Bulk);
    Native => E::Native, |reply, encoder| encoder.decode(reply.blob()?), accepts (Shape::Bulk | Shape::Status);
    Text => String, |reply, _e| reply.blob()?.to_text().map(str::to_owned), accepts (Shape::Bulk | Shape::Status);
    Blob => Bytes, |reply, _e| Ok(reply.blob()?.to_bytes()), accepts (Shape::Bulk | Shape::Status);
    Integer => i64, |reply, _e| reply.integer(), accepts (Shape::Integer);
    Float => f64, |reply, _e| reply.double(), accepts (Shape::Double | Shape::Bulk);
    Bool => bool, |reply, _e| reply.boolean(), accepts (Shape::Bool | Shape::Integer);
    Value => crate::Value, |reply, _e| reply.value(), accepts (_);
    InfoReply => parsed::InfoReply, |reply, _e| Ok(parsed::InfoReply::new(reply.blob()?.to_text_lossy())), accepts (Shape::Bulk);
    ClientListReply => parsed::ClientListReply, |reply, _e| Ok(parsed::ClientListReply::new(&reply.blob()?.to_text_lossy())), accepts (Shape::Bulk);
    ConfigPairReply => parsed::ConfigPairReply, |reply, _e| parsed::ConfigPairReply::decode(reply), accepts (Shape::Array | Shape::Map);
    EvalScriptReply => parsed::EvalScriptReply<E>, |reply, encoder| Ok(parsed::EvalScriptReply::new(reply.take_frame(), encoder)), accepts (_);
    BlockingPopReply => parsed::BlockingPopReply<E::Native>, |reply, encoder| parsed::BlockingPopReply::decode(reply, encoder), accepts (Shape::Array);
}

impl<E: Encoder, R: ReplyKind<E>> ReplyKind<E> for Nullable<R> {
    type Value = Option<R::Value>;
    const STREAMING: Streaming = R::STREAMING;

    #[inline]
    fn decode(reply: &mut Decoder<'_>, encoder: E) -> Result<Self::Value, DecodeError> {
        if reply.null() {
            Ok(None)
        } else {
            R::decode(reply, encoder).map(Some)
        }
    }

    fn decode_stream(head: StreamHead, encoder: E) -> Result<Self::Value, DecodeError> {
        R::decode_stream(head, encoder).map(Some)
    }

    fn accepts(shape: Shape) -> bool {
        shape == Shape::Null || R::accepts(shape)
    }

    fn absent() -> Option<Self::Value> {
        Some(None)
    }
}

impl<E: Encoder, R: ReplyKind<E>> ReplyKind<E> for OrTimeout<R> {
    type Value = R::Value;

    fn decode(reply: &mut Decoder<'_>, encoder: E) -> Result<Self::Value, DecodeError> {
        if reply.null() {
            Err(DecodeError::TimedOut)
        } else {
            R::decode(reply, encoder)
        }
    }
}

fn is_list(shape: Shape) -> bool {
    matches!(shape, Shape::Array | Shape::Set)
}

fn is_map(shape: Shape) -> bool {
    matches!(shape, Shape::Array | Shape::Map)
}

fn list<E: Encoder, R: ReplyKind<E>, C: Default + Extend<R::Value>>(
    reply: &mut Decoder<'_>,
    encoder: E,
) -> Result<C, DecodeError> {
    let mut collection = C::default();
    let mut failure = None;
    let count = reply.array()?;
    let room = reply.reserve(count);
    collection.extend(Counted {
        room,
        next: (0..count).map_while(|_| {
            R::decode(reply, encoder)
                .map_err(|error| failure = Some(error))
                .ok()
        }),
    });
    failure.map_or(Ok(collection), Err)
}

/// Enters a map in any of its forms: `%`, a flat array, an array of pairs.
fn pairs<
    E: Encoder,
    K: ReplyKind<E>,
    V: ReplyKind<E>,
    C: Default + Extend<(K::Value, V::Value)>,
>(
    reply: &mut Decoder<'_>,
    encoder: E,
) -> Result<C, DecodeError> {
    let mut collection = C::default();
    let mut failure = None;
    let is_array = reply.shape() != Shape::Map;
    let count = reply.array()?;
    let nested = is_array && count > 0 && reply.shape() == Shape::Array;
    let count = if nested { count } else { count / 2 };
    let room = reply.reserve(count);
    collection.extend(Counted {
        room,
        next: (0..count).map_while(|_| {
            pair::<E, K, V>(reply, nested, encoder)
                .map_err(|error| failure = Some(error))
                .ok()
        }),
    });
    failure.map_or(Ok(collection), Err)
}

/// A key and its value, within an array of their own or not.
pub(super) fn pair<E: Encoder, K: ReplyKind<E>, V: ReplyKind<E>>(
    reply: &mut Decoder<'_>,
    nested: bool,
    encoder: E,
) -> Result<(K::Value, V::Value), DecodeError> {
    if nested {
        let mut fields = reply.fields()?;
        let pair = (
            fields.next::<E, K>("key", encoder)?,
            fields.next::<E, V>("value", encoder)?,
        );
        fields.finish()?;
        Ok(pair)
    } else {
        Ok((K::decode(reply, encoder)?, V::decode(reply, encoder)?))
    }
}

/// An iterator that tells the collection how much room to make.
struct Counted<I> {
    room: usize,
    next: I,
}

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.next.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.room, None)
    }
}

macro_rules! collections {
    ($($kind:ident<$($param:ident),+> => $value:ty, $decode:expr, $accepts:ident $(, where [$($bound:tt)+])?;)*) => {$(
        impl<E: Encoder, $($param: ReplyKind<E>),+> ReplyKind<E> for $kind<$($param),+> $(where $($bound)+)? {
            type Value = $value;

            fn decode(reply: &mut Decoder<'_>, encoder: E) -> Result<Self::Value, DecodeError> {
                $decode(reply, encoder)
            }

            fn accepts(shape: Shape) -> bool {
                $accepts(shape)
            }
        }
    )*};
}

collections! {
    List<R> => Vec<R::Value>, list::<E, R, _>, is_list;
    AsList<R> => Vec<R::Value>, list::<E, R, _>, is_list;
    Set<R> => HashSet<R::Value>, list::<E, R, _>, is_list, where [R::Value: Hash + Eq];
    AsSet<R> => HashSet<R::Value>, list::<E, R, _>, is_list, where [R::Value: Hash + Eq];
    Dict<K, V> => HashMap<K::Value, V::Value>, pairs::<E, K, V, _>, is_map, where [K::Value: Hash + Eq];
    AsDict<K, V> => HashMap<K::Value, V::Value>, pairs::<E, K, V, _>, is_map, where [K::Value: Hash + Eq];
    Pairs<K, V> => Vec<(K::Value, V::Value)>, pairs::<E, K, V, _>, is_map;
    Pair<K, V> => (K::Value, V::Value), |reply: &mut Decoder<'_>, encoder| pair::<E, K, V>(reply, true, encoder), is_list;
}

impl<E: Encoder, R: ReplyKind<E>> ReplyKind<E> for ScanPart<R> {
    type Value = parsed::ScanPart<R::Value>;

    fn decode(reply: &mut Decoder<'_>, encoder: E) -> Result<Self::Value, DecodeError> {
        let mut fields = reply.fields()?;
        let cursor = fields.next::<E, Text>("cursor", encoder)?;
        let cursor = cursor.parse().map_err(|_| DecodeError::Number(cursor))?;
        let items = fields.next::<E, R>("items", encoder)?;
        fields.finish()?;
        Ok(parsed::ScanPart { cursor, items })
    }
}

macro_rules! streaming {
    ($($kind:ident $(<$($param:ident),+>)? => $value:ty, $accepts:ident;)*) => {$(
        impl<E: Encoder $(, $($param: ReplyKind<E> + 'static),+)?> ReplyKind<E> for $kind $(<$($param),+>)? {
            type Value = $value;
            const STREAMING: Streaming = Streaming::Elements;

            fn decode(reply: &mut Decoder<'_>, encoder: E) -> Result<Self::Value, DecodeError> {
                <$value>::new::<E $(, $($param),+)?>(streaming::Elements::of_frame(reply)?, encoder)
            }

            fn decode_stream(head: StreamHead, encoder: E) -> Result<Self::Value, DecodeError> {
                <$value>::new::<E $(, $($param),+)?>(streaming::Elements::of_stream(head)?, encoder)
            }

            fn accepts(shape: Shape) -> bool {
                $accepts(shape)
            }
        }
    )*};
}

streaming! {
    ListReply<R> => streaming::ListReply<R::Value>, is_list;
    SetReply<R> => streaming::SetReply<R::Value>, is_list;
    DictReply<K, V> => streaming::DictReply<K::Value, V::Value>, is_map;
    ZRangeReply => streaming::ZRangeReply<E::Native>, is_list;
}

impl<E: Encoder> ReplyKind<E> for Reader {
    type Value = streaming::BulkReader;
    const STREAMING: Streaming = Streaming::Bulk;

    fn decode(reply: &mut Decoder<'_>, _encoder: E) -> Result<Self::Value, DecodeError> {
        Ok(streaming::BulkReader::of_bytes(reply.blob()?.to_bytes()))
    }

    fn decode_stream(head: StreamHead, _encoder: E) -> Result<Self::Value, DecodeError> {
        Ok(streaming::BulkReader::of_stream(head))
    }
}

impl<E: Encoder> ReplyKind<E> for () {
    type Value = ();

    fn decode(reply: &mut Decoder<'_>, _encoder: E) -> Result<(), DecodeError> {
        if let Some(text) = reply.error() {
            return Err(DecodeError::Server(text.to_vec()));
        }
        reply.skip();
        Ok(())
    }
}
