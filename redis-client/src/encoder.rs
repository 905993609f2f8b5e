//! Encoders: which Rust type the strings of the server are, the *native type* of a client.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::resp::{Blob, DecodeError};

/// Turns the strings of replies into the client's native type.
///
/// The other direction, from the arguments of a call to bytes, is [`ToArg`](crate::ToArg): what
/// implements `ToArg<'_, E>` may be handed to a client with the encoder `E`.
///
/// ```
/// use redis_client::{Arg, Blob, DecodeError, Encoder, ToArg};
///
/// /// Text in capitals.
/// #[derive(Debug, Clone, Copy)]
/// struct Loud;
///
/// impl Encoder for Loud {
///     type Native = String;
///
///     fn decode(self, data: Blob<'_>) -> Result<String, DecodeError> {
///         Ok(data.to_text()?.to_uppercase())
///     }
/// }
///
/// impl<'a> ToArg<'a, Loud> for &'a str {
///     fn to_arg(self, _: Loud) -> Arg<'a> {
///         Arg::from(self)
///     }
/// }
/// ```
pub trait Encoder: Copy + Send + Sync + Unpin + 'static {
    /// What a string of the server is for users of this client.
    type Native: Send + 'static;

    /// Decodes one string.
    fn decode(self, data: Blob<'_>) -> Result<Self::Native, DecodeError>;
}

/// Text, the default: takes strings and numbers, gives [`String`]. A reply that is not UTF-8 is an
/// error, for that reply only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Utf8;

impl Encoder for Utf8 {
    type Native = String;

    #[inline]
    fn decode(self, data: Blob<'_>) -> Result<String, DecodeError> {
        data.to_text().map(str::to_owned)
    }
}

/// Bytes: takes anything bytes-like, strings and numbers, gives [`Bytes`]. A large value is a slice
/// of the buffer it was read into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Raw;

impl Encoder for Raw {
    type Native = Bytes;

    #[inline]
    fn decode(self, data: Blob<'_>) -> Result<Bytes, DecodeError> {
        Ok(data.to_bytes())
    }
}

/// A serde type as JSON: as an argument, `Json(&value)`, with every encoder that takes text; as a
/// reply by `.decode::<Json<T>>()`, or for all replies with [`JsonEncoder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Json<T>(pub T);

/// The encoder whose native type is a serde type, stored as JSON: strings of replies are parsed into
/// `T`. Keys and other plain strings are sent as they are, values as [`Json(&value)`](Json).
pub struct JsonEncoder<T>(PhantomData<fn() -> T>);

impl<T> JsonEncoder<T> {
    /// The encoder.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for JsonEncoder<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for JsonEncoder<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for JsonEncoder<T> {}

impl<T> fmt::Debug for JsonEncoder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonEncoder<{}>", std::any::type_name::<T>())
    }
}

impl<T: DeserializeOwned + Send + 'static> Encoder for JsonEncoder<T> {
    type Native = T;

    fn decode(self, data: Blob<'_>) -> Result<T, DecodeError> {
        from_json(data)
    }
}

pub(crate) fn from_json<T: DeserializeOwned>(data: Blob<'_>) -> Result<T, DecodeError> {
    serde_json::from_slice(data.as_bytes()).map_err(|error| DecodeError::Encoder(error.into()))
}
