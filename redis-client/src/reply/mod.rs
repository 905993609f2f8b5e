//! Replies: the types that users get, and how each is decoded from a frame.
//!
//! - [`kind`](crate::kind) has a marker for each word that the table uses for a reply;
//! - `streaming` has the replies that hand out their elements while they arrive;
//! - `parsed` has the replies with a text format of their own (INFO, CLIENT LIST, …).

pub mod kind;
mod parsed;
mod streaming;

pub use parsed::{
    BlockingPopReply, ClientInfo, ClientListReply, ConfigPairReply, EvalScriptReply, InfoReply,
    ScanPart, StatusReply,
};
pub use streaming::{BulkReader, DictReply, ListReply, SetReply, ZRangeReply};

use crate::connection::Chunks;
use crate::encoder::Encoder;
use crate::error::Error;
use crate::resp::{DecodeError, Decoder, Frame, Shape};

/// A reply on its way to the caller.
#[derive(Debug)]
pub enum Reply {
    /// All of it.
    Frame(Frame),
    /// Its beginning; the rest comes as it is taken.
    Stream(StreamHead),
}

/// The beginning of a reply that is too large to be waited for.
#[derive(Debug)]
pub struct StreamHead {
    pub(crate) shape: Shape,
    /// Elements, or bytes of a bulk string.
    pub(crate) len: u64,
    pub(crate) chunks: Chunks,
}

/// Which replies of a kind need not be complete before the caller gets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streaming {
    /// None.
    No,
    /// Arrays, maps and sets: element by element.
    Elements,
    /// Strings: in pieces.
    Bulk,
}

/// A word of the table for a reply, such as `SetReply` or `Native?`, and how it is decoded for a
/// client with the encoder `E`. The words are the types in [`kind`].
pub trait ReplyKind<E: Encoder> {
    /// What the caller gets.
    type Value: Send + 'static;

    /// Whether a large reply is handed out in pieces.
    const STREAMING: Streaming = Streaming::No;

    /// Decodes one element of a reply, whichever protocol version it is in.
    fn decode(reply: &mut Decoder<'_>, encoder: E) -> Result<Self::Value, DecodeError>;

    /// Decodes a reply that is handed out in pieces.
    fn decode_stream(head: StreamHead, encoder: E) -> Result<Self::Value, DecodeError> {
        let _ = encoder;
        Err(DecodeError::mismatch("reply in one piece", head.shape))
    }

    /// Whether an element of this shape can be one of this kind: how an optional field that the
    /// server left out is recognised.
    fn accepts(shape: Shape) -> bool {
        let _ = shape;
        true
    }

    /// The value of an optional field that the server left out.
    fn absent() -> Option<Self::Value> {
        None
    }
}

/// Decodes a reply; an error reply becomes the error.
pub(crate) fn decode<E: Encoder, R: ReplyKind<E>>(
    reply: Reply,
    encoder: E,
) -> Result<R::Value, Error> {
    match reply {
        Reply::Frame(frame) => {
            let mut decoder = Decoder::new(&frame);
            if let Some(b'-' | b'!' | b'|') = frame.bytes().first()
                && let Some(text) = decoder.error()
            {
                return Err(Error::server(text));
            }
            R::decode(&mut decoder, encoder).map_err(Error::decode)
        }
        Reply::Stream(head) => R::decode_stream(head, encoder).map_err(Error::decode),
    }
}
