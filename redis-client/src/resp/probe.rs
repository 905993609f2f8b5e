//! Reads whatever bytes there are, as every kind of reply. What comes out may be wrong, but it comes
//! out: no panic, no endless loop, nothing that depends on how the bytes were cut. The property tests
//! and the fuzzer share it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a check that fails ends the test"
)]

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::io::{AsyncRead, ReadBuf};

use super::{Decoder, Frame, ProtocolError, ReplyLimits, Scanner};
use crate::encoder::{Encoder, Raw, Utf8};
use crate::kind;
use crate::reply::ReplyKind;

/// Finds the frames in `bytes`, at once and in pieces of the given sizes, and reads each of them.
pub(crate) fn replies(limits: ReplyLimits, bytes: &[u8], pieces: impl Iterator<Item = usize>) {
    let (frames, whole) = split(limits, bytes, std::iter::once(bytes.len()));
    let (same_frames, in_pieces) = split(limits, bytes, pieces);
    assert_eq!(
        frames, same_frames,
        "the frames depend on how the bytes arrive"
    );
    assert_eq!(
        whole.is_err(),
        in_pieces.is_err(),
        "{whole:?} or {in_pieces:?}"
    );
    for frame in frames {
        let consumed = frame.len();
        every_kind(&Frame::from(frame), Some(consumed));
    }
}

/// Both, with everything taken from `data`: the fuzzer's way in.
#[cfg(fuzzing)]
pub(crate) fn run_bytes(data: &[u8]) {
    let Some((&[frame, depth, pieces], data)) = data.split_first_chunk() else {
        return;
    };
    let Some((pieces, bytes)) = data.split_at_checked(usize::from(pieces % 32)) else {
        return;
    };
    let limits = ReplyLimits {
        frame: if frame == 0 {
            1 << 30
        } else {
            16 * usize::from(frame)
        },
        depth: usize::from(depth % 65),
    };
    replies(
        limits,
        bytes,
        pieces.iter().map(|piece| usize::from(*piece)),
    );
    garbage(bytes);
}

/// Reads bytes that no scanner has seen.
pub(crate) fn garbage(bytes: &[u8]) {
    every_kind(&Frame::from(Bytes::copy_from_slice(bytes)), None);
}

/// Longer lines are refused.
const MAX_LINE: usize = 64 * 1024;

type Frames = Vec<Bytes>;

fn split(
    limits: ReplyLimits,
    bytes: &[u8],
    pieces: impl Iterator<Item = usize>,
) -> (Frames, Result<(), ProtocolError>) {
    let mut scanner = Scanner::new(limits);
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    let mut rest = bytes;
    let mut most_needed = 0;
    // What is left over goes in one piece.
    for piece in pieces.chain(std::iter::once(usize::MAX)) {
        let (piece, after) = rest.split_at(piece.min(rest.len()));
        rest = after;
        buffer.extend_from_slice(piece);
        loop {
            match scanner.scan(&buffer) {
                Err(error) => return (frames, Err(error)),
                Ok(Some(end)) => {
                    assert!(end <= buffer.len() && end <= limits.frame);
                    assert!(most_needed <= end, "it waited for more than the frame has");
                    frames.push(buffer.split_to(end).freeze());
                    scanner.reset();
                    most_needed = 0;
                }
                Ok(None) => {
                    assert!(scanner.need() > buffer.len(), "it waits for what is there");
                    // A line counts for the limit when it is complete.
                    assert!(scanner.need() <= limits.frame.max(buffer.len()) + 1);
                    assert!(buffer.len() <= limits.frame + MAX_LINE);
                    if !buffer.is_empty() {
                        most_needed = most_needed.max(scanner.need());
                    }
                    break;
                }
            }
        }
        if rest.is_empty() {
            break;
        }
    }
    (frames, Ok(()))
}

/// Decodes a frame as every kind, for every encoder. A frame that is whole is consumed as a whole.
fn every_kind(frame: &Frame, consumed: Option<usize>) {
    for_encoder(frame, consumed, Utf8);
    for_encoder(frame, consumed, Raw);
    #[cfg(feature = "json")]
    for_encoder(
        frame,
        consumed,
        crate::JsonEncoder::<serde_json::Value>::new(),
    );

    // Those that want a hash of the native type, which JSON has not.
    macro_rules! hashed {
        ($encoder:expr) => {
            drain(decode::<_, kind::SetReply>(frame, consumed, $encoder));
            decode::<_, kind::AsSet<kind::Native>>(frame, consumed, $encoder);
            decode::<_, kind::AsDict<kind::Native, kind::Value>>(frame, consumed, $encoder);
            decode::<_, kind::Set<kind::Native>>(frame, consumed, $encoder);
            decode::<_, kind::Dict<kind::Native, kind::List<kind::Native>>>(
                frame, consumed, $encoder,
            );
        };
    }
    hashed!(Utf8);
    hashed!(Raw);

    if consumed.is_some() {
        let mut skipping = Decoder::new(frame);
        skipping.skip();
        assert_eq!(Some(skipping.position()), consumed);
        let taken = Decoder::new(frame).take_frame();
        assert!(frame.bytes().ends_with(taken.bytes()));
    }
}

fn for_encoder<E: Encoder>(frame: &Frame, consumed: Option<usize>, encoder: E) {
    macro_rules! kinds {
        ($($kind:ty),* $(,)?) => {
            $(decode::<E, $kind>(frame, consumed, encoder);)*
        };
    }
    kinds!(
        (),
        kind::StatusReply,
        kind::Native,
        kind::Text,
        kind::Blob,
        kind::Integer,
        kind::Float,
        kind::Bool,
        kind::Value,
        kind::Nullable<kind::Native>,
        kind::Nullable<kind::List<kind::Nullable<kind::Native>>>,
        kind::AsList<kind::Native>,
        kind::AsDict<kind::Text, kind::Native>,
        kind::List<kind::List<kind::Integer>>,
        kind::List<()>,
        kind::List<kind::Value>,
        kind::Set<kind::Text>,
        kind::Dict<kind::Text, kind::Value>,
        kind::Pairs<kind::Native, kind::Float>,
        kind::Pairs<kind::Text, kind::Pairs<kind::Text, kind::Value>>,
        kind::List<kind::Pairs<kind::Text, kind::Value>>,
        kind::Pair<kind::Native, kind::Integer>,
        kind::List<kind::Pair<kind::Text, kind::Nullable<kind::Value>>>,
        kind::BlockingPopReply,
        kind::OrTimeout<kind::Native>,
        kind::ConfigPairReply,
        kind::ScanPart<kind::List<kind::Native>>,
        kind::ScanPart<kind::Pairs<kind::Native, kind::Float>>,
    );
    #[cfg(feature = "json")]
    decode::<E, crate::Json<serde_json::Value>>(frame, consumed, encoder);
    drain(decode::<E, kind::ListReply>(frame, consumed, encoder));
    drain(decode::<E, kind::SetReply<kind::Value>>(
        frame, consumed, encoder,
    ));
    drain(decode::<E, kind::DictReply>(frame, consumed, encoder));
    drain(decode::<E, kind::DictReply<kind::Text, kind::Value>>(
        frame, consumed, encoder,
    ));
    drain(decode::<E, kind::ZRangeReply>(frame, consumed, encoder));
    if let Some(reader) = decode::<E, kind::Reader>(frame, consumed, encoder) {
        read(reader);
    }
    if let Some(script) = decode::<E, kind::EvalScriptReply>(frame, consumed, encoder) {
        let value = script.return_value();
        drop((
            script.native(),
            script.integer(),
            script.list(),
            format!("{value:?}"),
        ));
    }
    if let Some(info) = decode::<E, kind::InfoReply>(frame, consumed, encoder) {
        let fields = info.iter().count();
        assert!(fields <= info.as_str().len());
    }
    if let Some(clients) = decode::<E, kind::ClientListReply>(frame, consumed, encoder) {
        clients.iter().for_each(|client| {
            let _ = (client.id(), client.iter().count());
        });
    }
}

fn decode<E: Encoder, K: ReplyKind<E>>(
    frame: &Frame,
    consumed: Option<usize>,
    encoder: E,
) -> Option<K::Value> {
    let mut decoder = Decoder::new(frame);
    let value = K::decode(&mut decoder, encoder).ok()?;
    if let Some(consumed) = consumed {
        let kind = std::any::type_name::<K>();
        let text = frame.bytes().escape_ascii();
        // Of a flat array of an odd length, maps leave the last element.
        let is_map =
            kind.contains("Dict") || kind.contains("Pairs<") || kind.contains("ConfigPair");
        assert!(
            decoder.position() == consumed || (is_map && decoder.position() < consumed),
            "{kind} leaves something of {text}"
        );
    }
    Some(value)
}

/// Takes the elements of a streaming reply that is here already.
fn drain<T>(reply: Option<impl Stream<Item = crate::Result<T>>>) {
    let Some(reply) = reply else { return };
    let mut stream = pin!(reply);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match stream.as_mut().poll_next(&mut cx) {
            Poll::Ready(Some(_)) => {}
            Poll::Ready(None) => return,
            Poll::Pending => panic!("a complete reply has to be waited for"),
        }
    }
}

fn read(mut reader: impl AsyncRead + Unpin) {
    let mut piece = [0; 100];
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        let mut buffer = ReadBuf::new(&mut piece);
        match Pin::new(&mut reader).poll_read(&mut cx, &mut buffer) {
            Poll::Ready(result) => result.expect("a complete reply"),
            Poll::Pending => panic!("a complete reply has to be waited for"),
        }
        if buffer.filled().is_empty() {
            return;
        }
    }
}
