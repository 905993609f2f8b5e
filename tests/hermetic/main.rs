//! The client without a server: transcripts against a peer that the test plays itself, byte by byte.
//!
//! - [`peer`]: the other end of a connection, in memory; [`server`]: the same on a loopback port, for what needs to
//!   connect more than once;
//! - [`handshake`]: how a connection begins, and how it fails to;
//! - [`encoding`]: from methods and arguments to bytes; [`encoders`]: native types, a user's own among them;
//! - [`replies`]: from bytes to values, whatever the protocol version and however they are split;
//!   [`protocol_errors`]: bytes that are no replies;
//! - [`cancel`]: dropped calls; [`timeouts`]: calls that wait for too long;
//! - [`streaming`]: large replies, element by element; [`back_pressure`]: limits on what is under way;
//! - [`reconnect`]: lost connections, and what becomes of the calls on them.
//!
//! The tests run on one thread, where nothing happens but at an `.await`: a transcript is the same every time.

mod back_pressure;
mod cancel;
mod encoders;
mod encoding;
mod handshake;
mod peer;
mod protocol_errors;
mod reconnect;
mod replies;
mod server;
mod streaming;
mod timeouts;
