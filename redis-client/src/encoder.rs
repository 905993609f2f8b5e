//! Encoders: which Rust type the strings of the server are, the *native type* of a client.

use bytes::Bytes;

use crate::resp::{Blob, DecodeError};

/// Turns the strings of replies into the client's native type.
///
/// The other direction, from the arguments of a call to bytes, is [`ToArg`](crate::ToArg): what
/// implements `ToArg<'_, E>` may be handed to a client with the encoder `E`. [`TakesText`] does that for
/// all kinds of strings.
///
/// ```
/// use redis_client::{Arg, Blob, DecodeError, Encoder, TakesText, ToArg};
///
/// /// Text in capitals.
/// #[derive(Debug, Clone, Copy)]
/// struct Loud;
///
/// /// A type of your own as an argument.
/// struct Whisper(String);
///
/// impl Encoder for Loud {
///     type Native = String;
///
///     fn decode(self, data: Blob<'_>) -> Result<String, DecodeError> {
///         Ok(data.to_text()?.to_uppercase())
///     }
/// }
///
/// impl TakesText for Loud {}
///
/// impl<'a> ToArg<'a, Loud> for Whisper {
///     fn to_arg(self, _: Loud) -> Arg<'a> {
///         Arg::from(self.0.to_lowercase())
///     }
/// }
/// ```
pub trait Encoder: Copy + Send + Sync + Unpin + 'static {
    /// What a string of the server is for users of this client.
    type Native: Send + 'static;

    /// Decodes one string.
    fn decode(self, data: Blob<'_>) -> Result<Self::Native, DecodeError>;
}

/// Encoders for which strings are arguments as they are. Implement it for your own encoder, and its
/// clients take `&str`, `String`, … like those of [`Utf8`].
pub trait TakesText: Encoder {}

impl TakesText for Utf8 {}
impl TakesText for Raw {}

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
