//! JSON: serde types as arguments and replies.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arg::{Arg, ToArg};
use crate::encoder::{Encoder, TakesText};
use crate::reply::ReplyKind;
use crate::resp::{Blob, DecodeError, Decoder, Shape};

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

fn from_json<T: DeserializeOwned>(data: Blob<'_>) -> Result<T, DecodeError> {
    serde_json::from_slice(data.as_bytes()).map_err(|error| DecodeError::Encoder(error.into()))
}

impl<T: DeserializeOwned + Send + 'static> TakesText for JsonEncoder<T> {}

impl<'a, E: Encoder, T: Serialize> ToArg<'a, E> for Json<T> {
    /// A value that serde cannot write as JSON (a map whose keys are no strings) becomes `null`.
    fn to_arg(self, _: E) -> Arg<'a> {
        Arg::from(serde_json::to_vec(&self.0).unwrap_or_else(|_| b"null".to_vec()))
    }
}

impl<E: Encoder, T: DeserializeOwned + Send + 'static> ReplyKind<E> for Json<T> {
    type Value = T;

    fn decode(reply: &mut Decoder<'_>, _encoder: E) -> Result<T, DecodeError> {
        from_json(reply.blob()?)
    }

    fn accepts(shape: Shape) -> bool {
        shape == Shape::Bulk
    }
}
