//! RESP2 and RESP3: bytes in, frames out. No I/O, no runtime.
//!
//! - `scan` finds where a frame ends, in pieces as they arrive;
//! - `decode` reads a complete frame, element by element, into the types of the caller;
//! - `frame` is how a complete frame travels from the connection to its caller;
//! - `value` is the tree for replies that have no better type.

mod decode;
mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod probe;
mod scan;
#[cfg(test)]
mod tests;
mod value;

pub use decode::{Blob, DecodeError, Decoder, Entries, Fields, Shape};
pub use frame::Frame;
pub use scan::{ProtocolError, ReplyLimits, Scanner};
pub use value::Value;
