use std::error::Error as StdError;
use std::fmt;

use bytes::Bytes;

use super::{Frame, Value};
use crate::encoder::Encoder;
use crate::reply::ReplyKind;

/// A payload that is at least this long stays a slice of the network buffer; a shorter one is
/// copied, so that it does not keep the buffer alive.
const SLICE_FROM: usize = 4096;

/// A tree of this many levels is as deep as a thread's stack is sure to bear.
const TREE_DEPTH: usize = 256;

/// Why a reply does not fit the type that it is decoded into.
#[derive(Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// Another shape than the reply kind takes.
    Mismatch {
        /// What the reply kind takes.
        expected: &'static str,
        /// What the server sent.
        found: Shape,
    },
    /// Not UTF-8, for a client whose native type is text.
    Utf8,
    /// Text that should be a number.
    Number(String),
    /// A field that a reply struct needs.
    Missing(&'static str),
    /// The encoder refused the data.
    Encoder(Box<dyn StdError + Send + Sync>),
    /// The reply, or an element of it, is an error.
    Server(Vec<u8>),
    /// Nested too deeply for a tree of [`Value`]s.
    TooDeep(usize),
    /// A blocking command that found nothing in time.
    TimedOut,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch { expected, found } => {
                write!(f, "the reply is {found}, which is no {expected}")
            }
            Self::Utf8 => {
                f.write_str("the reply is not valid UTF-8; `with_encoder(Raw)` gives bytes")
            }
            Self::Number(text) => {
                write!(f, "the reply `{text}` is not a number of the expected kind")
            }
            Self::Missing(field) => write!(f, "the reply has no field `{field}`"),
            Self::TooDeep(levels) => write!(
                f,
                "the reply is nested deeper than a tree of {levels} levels"
            ),
            Self::Encoder(error) => write!(f, "the encoder refuses the reply: {error}"),
            Self::Server(text) => f.write_str(&String::from_utf8_lossy(text)),
            Self::TimedOut => f.write_str("nothing came within the timeout of the command"),
        }
    }
}

impl StdError for DecodeError {}

impl DecodeError {
    /// The reply is of another shape than the kind takes.
    pub fn mismatch(expected: &'static str, found: Shape) -> Self {
        Self::Mismatch { expected, found }
    }

    /// A reply struct misses a field.
    pub fn missing(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn number(text: &[u8]) -> Self {
        let text = text.get(..64).unwrap_or(text);
        Self::Number(String::from_utf8_lossy(text).into_owned())
    }
}

/// What an element of a reply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// `+OK`
    Status,
    /// `-ERR …`, `!…`
    Error,
    /// `:1`
    Integer,
    /// `$5`, `=9` (verbatim)
    Bulk,
    /// `*2`, `>2` (push)
    Array,
    /// `%1`
    Map,
    /// `~2`
    Set,
    /// `_`, `$-1`, `*-1`
    Null,
    /// `,1.5`
    Double,
    /// `#t`
    Bool,
    /// `(12345678901234567890`
    BigNumber,
    /// Nothing is left.
    End,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Status => "a status",
            Self::Error => "an error",
            Self::Integer => "an integer",
            Self::Bulk => "a string",
            Self::Array => "an array",
            Self::Map => "a map",
            Self::Set => "a set",
            Self::Null => "null",
            Self::Double => "a double",
            Self::Bool => "a boolean",
            Self::BigNumber => "a big number",
            Self::End => "shorter than expected",
        })
    }
}

/// A string of a reply, still where it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Blob<'f> {
    bytes: &'f [u8],
    owner: Option<&'f Bytes>,
}

impl<'f> Blob<'f> {
    /// The bytes.
    pub fn as_bytes(self) -> &'f [u8] {
        self.bytes
    }

    /// The bytes with a life of their own: a large string is not copied.
    pub fn to_bytes(self) -> Bytes {
        match self.owner {
            Some(owner) if self.bytes.len() >= SLICE_FROM => owner.slice_ref(self.bytes),
            _ => Bytes::copy_from_slice(self.bytes),
        }
    }

    /// The text, if it is UTF-8.
    pub fn to_text(self) -> Result<&'f str, DecodeError> {
        std::str::from_utf8(self.bytes).map_err(|_| DecodeError::Utf8)
    }
}

impl AsRef<[u8]> for Blob<'_> {
    fn as_ref(&self) -> &[u8] {
        self.bytes
    }
}

impl<'f> Blob<'f> {
    /// Text where it is UTF-8, with replacement characters where it is not: for names.
    pub fn to_text_lossy(self) -> String {
        String::from_utf8_lossy(self.bytes).into_owned()
    }
}

/// Reads a complete reply, element by element. It never panics: whatever does not fit is a
/// [`DecodeError`].
#[derive(Debug, Clone)]
pub struct Decoder<'f> {
    bytes: &'f [u8],
    owner: Option<&'f Bytes>,
    at: usize,
}

/// A header: the type byte and its line.
struct Header<'f> {
    tag: u8,
    line: &'f [u8],
}

impl<'f> Decoder<'f> {
    /// Reads a frame.
    pub fn new(frame: &'f Frame) -> Self {
        Self {
            bytes: frame.bytes(),
            owner: frame.shared(),
            at: 0,
        }
    }

    /// Reads the frames in `bytes` from `at` on.
    pub(crate) fn resume(bytes: &'f [u8], owner: Option<&'f Bytes>, at: usize) -> Self {
        Self { bytes, owner, at }
    }

    /// Where the next element begins.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The shape of the next element.
    pub fn shape(&mut self) -> Shape {
        self.skip_attributes();
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(tag) = rest.first() else {
            return Shape::End;
        };
        match tag {
            b'+' => Shape::Status,
            b'-' | b'!' => Shape::Error,
            b':' => Shape::Integer,
            b'$' | b'=' if rest.starts_with(b"$-") => Shape::Null,
            b'$' | b'=' => Shape::Bulk,
            b'*' if rest.starts_with(b"*-") => Shape::Null,
            b'*' | b'>' => Shape::Array,
            b'%' => Shape::Map,
            b'~' => Shape::Set,
            b'_' => Shape::Null,
            b',' => Shape::Double,
            b'#' => Shape::Bool,
            b'(' => Shape::BigNumber,
            _ => Shape::End,
        }
    }

    fn skip_attributes(&mut self) {
        while self.bytes.get(self.at) == Some(&b'|') {
            let Some(header) = self.header() else { return };
            self.skip_elements(number(header.line).unwrap_or(0).saturating_mul(2));
        }
    }

    fn header(&mut self) -> Option<Header<'f>> {
        let rest = self.bytes.get(self.at..)?;
        let (tag, line) = rest.split_first()?;
        let end = line.iter().position(|byte| *byte == b'\r')?;
        self.at += end + 3;
        Some(Header {
            tag: *tag,
            line: line.get(..end)?,
        })
    }

    fn bulk(&mut self, header: &Header<'f>) -> &'f [u8] {
        let len = number(header.line).unwrap_or(0);
        let bytes = self
            .bytes
            .get(self.at..)
            .and_then(|rest| rest.get(..len))
            .unwrap_or_default();
        self.at = self.at.saturating_add(len).saturating_add(2);
        bytes
    }

    #[cold]
    fn mismatch(&mut self, expected: &'static str) -> DecodeError {
        let found = self.shape();
        if found == Shape::Error
            && let Some(text) = self.error()
        {
            return DecodeError::Server(text.to_vec());
        }
        self.skip();
        DecodeError::mismatch(expected, found)
    }

    /// Takes an error reply, if the next element is one.
    pub fn error(&mut self) -> Option<&'f [u8]> {
        if self.shape() != Shape::Error {
            return None;
        }
        let header = self.header()?;
        Some(if header.tag == b'!' {
            self.bulk(&header)
        } else {
            header.line
        })
    }

    /// Takes a null, if the next element is one.
    pub fn null(&mut self) -> bool {
        let null = self.shape() == Shape::Null;
        if null {
            self.header();
        }
        null
    }

    /// Skips one element, nested or not.
    pub fn skip(&mut self) {
        self.skip_elements(1);
    }

    fn skip_elements(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let Some(header) = self.header() else { return };
            match header.tag {
                b'$' | b'=' | b'!' => {
                    if !header.line.starts_with(b"-") {
                        self.bulk(&header);
                    }
                    left -= 1;
                }
                b'*' | b'~' | b'>' => {
                    left = (left - 1).saturating_add(number(header.line).unwrap_or(0))
                }
                b'%' => {
                    left = (left - 1)
                        .saturating_add(number(header.line).unwrap_or(0).saturating_mul(2))
                }
                b'|' => {
                    left = left.saturating_add(number(header.line).unwrap_or(0).saturating_mul(2))
                }
                _ => left -= 1,
            }
        }
    }

    /// Takes one element, nested or not, with its bytes.
    pub fn take_frame(&mut self) -> Frame {
        self.skip_attributes();
        let start = self.at;
        self.skip();
        let bytes = self.bytes.get(start..self.at).unwrap_or_default();
        match (Frame::copy_small(bytes), self.owner) {
            (Some(frame), _) => frame,
            (None, Some(owner)) => Frame::from(owner.slice_ref(bytes)),
            (None, None) => Frame::from(Bytes::copy_from_slice(bytes)),
        }
    }

    /// A string: bulk, verbatim, status; a number in its text form.
    pub fn blob(&mut self) -> Result<Blob<'f>, DecodeError> {
        // The by far most frequent case first.
        if self.bytes.get(self.at) != Some(&b'$') {
            match self.shape() {
                Shape::Bulk | Shape::Status | Shape::Integer | Shape::Double | Shape::BigNumber => {
                }
                _ => return Err(self.mismatch("string")),
            }
        }
        let start = self.at;
        let Some(header) = self.header() else {
            return Err(DecodeError::mismatch("string", Shape::End));
        };
        let bytes = match header.tag {
            b'$' if header.line.starts_with(b"-") => {
                self.at = start;
                return Err(self.mismatch("string"));
            }
            b'$' => self.bulk(&header),
            b'=' => {
                let bytes = self.bulk(&header);
                bytes.get(4..).unwrap_or(bytes)
            }
            _ => header.line,
        };
        Ok(Blob {
            bytes,
            owner: self.owner,
        })
    }

    /// An integer, also as text.
    pub fn integer(&mut self) -> Result<i64, DecodeError> {
        match self.shape() {
            Shape::Integer | Shape::BigNumber => {
                let line = self.header().map(|header| header.line).unwrap_or_default();
                parse_i64(line).ok_or_else(|| DecodeError::number(line))
            }
            Shape::Bool => Ok(i64::from(self.boolean()?)),
            Shape::Bulk | Shape::Status | Shape::Double => {
                let text = self.blob()?.as_bytes();
                parse_i64(text).ok_or_else(|| DecodeError::number(text))
            }
            _ => Err(self.mismatch("integer")),
        }
    }

    /// A double, also as text (RESP2) or as an integer.
    pub fn double(&mut self) -> Result<f64, DecodeError> {
        match self.shape() {
            Shape::Double | Shape::Bulk | Shape::Integer | Shape::Status | Shape::BigNumber => {
                let text = self.blob()?.as_bytes();
                std::str::from_utf8(text)
                    .ok()
                    .and_then(|text| text.parse().ok())
                    .ok_or_else(|| DecodeError::number(text))
            }
            _ => Err(self.mismatch("number")),
        }
    }

    /// A boolean: `#t`, `#f`, 1, 0.
    pub fn boolean(&mut self) -> Result<bool, DecodeError> {
        match self.shape() {
            Shape::Bool => Ok(self.header().is_some_and(|header| header.line == b"t")),
            Shape::Integer | Shape::Bulk => match self.integer()? {
                0 => Ok(false),
                1 => Ok(true),
                other => Err(DecodeError::Number(other.to_string())),
            },
            _ => Err(self.mismatch("boolean")),
        }
    }

    /// Enters an array or set (a map: as a flat array) and says how many elements follow.
    pub fn array(&mut self) -> Result<usize, DecodeError> {
        let factor = match self.shape() {
            Shape::Array | Shape::Set => 1,
            Shape::Map => 2,
            _ => return Err(self.mismatch("array")),
        };
        let announced = self.header().and_then(|header| number(header.line));
        let count = announced.unwrap_or(0).saturating_mul(factor);
        if count > self.reserve(count) {
            // Only of bytes that no scanner has seen: whoever loops over them must not do so for ever.
            return Err(DecodeError::mismatch("array", Shape::End));
        }
        Ok(count)
    }

    /// Room to make for `count` announced elements: never more than the bytes at hand can hold.
    pub(crate) fn reserve(&self, count: usize) -> usize {
        // The smallest element is `_\r\n`.
        count.min(self.bytes.len().saturating_sub(self.at) / 3)
    }

    /// Decodes the next element as another kind.
    pub fn kind<E: Encoder, R: ReplyKind<E>>(
        &mut self,
        encoder: E,
    ) -> Result<R::Value, DecodeError> {
        R::decode(self, encoder)
    }

    /// Enters an array whose elements have a meaning by position.
    pub fn fields(&mut self) -> Result<Fields<'_, 'f>, DecodeError> {
        let left = match self.shape() {
            Shape::Array | Shape::Set | Shape::Map => self.array()?,
            Shape::Error | Shape::Null | Shape::End => return Err(self.mismatch("array")),
            _ => 1,
        };
        Ok(Fields {
            decoder: self,
            left,
        })
    }

    /// Enters a map: `%` or a flat array of keys and values.
    pub fn entries(&mut self) -> Result<Entries<'_, 'f>, DecodeError> {
        let left = match self.shape() {
            Shape::Array | Shape::Map => self.array()?,
            _ => return Err(self.mismatch("map")),
        };
        Ok(Entries {
            decoder: self,
            left,
        })
    }

    /// Any element as a tree.
    pub fn value(&mut self) -> Result<Value, DecodeError> {
        self.tree(TREE_DEPTH)
    }

    fn tree(&mut self, levels: usize) -> Result<Value, DecodeError> {
        let Some(levels) = levels.checked_sub(1) else {
            return Err(DecodeError::TooDeep(TREE_DEPTH));
        };
        let shape = self.shape();
        Ok(match shape {
            Shape::Null => {
                self.null();
                Value::Null
            }
            Shape::Status => Value::Status(self.blob()?.to_text_lossy()),
            Shape::Error => {
                Value::Error(String::from_utf8_lossy(self.error().unwrap_or_default()).into_owned())
            }
            Shape::Integer => Value::Integer(self.integer()?),
            Shape::Bulk => {
                let blob = self.blob()?;
                match blob.to_text() {
                    Ok(text) => Value::Text(text.to_owned()),
                    Err(_) => Value::Blob(blob.to_bytes()),
                }
            }
            Shape::Double => Value::Double(self.double()?),
            Shape::Bool => Value::Bool(self.boolean()?),
            Shape::BigNumber => Value::BigNumber(self.blob()?.to_text_lossy()),
            Shape::Array | Shape::Set => {
                let count = self.array()?;
                let mut items = Vec::with_capacity(self.reserve(count));
                for _ in 0..count {
                    items.push(self.tree(levels)?);
                }
                if shape == Shape::Set {
                    Value::Set(items)
                } else {
                    Value::Array(items)
                }
            }
            Shape::Map => {
                let count = self.array()? / 2;
                let mut pairs = Vec::with_capacity(self.reserve(count));
                for _ in 0..count {
                    pairs.push((self.tree(levels)?, self.tree(levels)?));
                }
                Value::Map(pairs)
            }
            Shape::End => return Err(DecodeError::mismatch("value", Shape::End)),
        })
    }
}

/// The elements of an array whose meaning is their position.
#[derive(Debug)]
pub struct Fields<'d, 'f> {
    decoder: &'d mut Decoder<'f>,
    left: usize,
}

impl Fields<'_, '_> {
    /// The next field. An optional one that the server left out is recognised by its shape: an
    /// element that is none for it stays for the field after it.
    pub fn next<E: Encoder, R: ReplyKind<E>>(
        &mut self,
        name: &'static str,
        encoder: E,
    ) -> Result<R::Value, DecodeError> {
        let absent = self.left == 0 || (R::absent().is_some() && !R::accepts(self.decoder.shape()));
        if absent {
            return R::absent().ok_or(DecodeError::Missing(name));
        }
        self.left -= 1;
        R::decode(self.decoder, encoder)
    }

    /// Skips what a newer server has added.
    pub fn finish(self) -> Result<(), DecodeError> {
        self.decoder.skip_elements(self.left);
        Ok(())
    }
}

/// The keys and values of a map.
#[derive(Debug)]
pub struct Entries<'d, 'f> {
    decoder: &'d mut Decoder<'f>,
    left: usize,
}

impl<'f> Entries<'_, 'f> {
    /// The next key, until there is none.
    pub fn key(&mut self) -> Result<Option<Blob<'f>>, DecodeError> {
        if self.left < 2 {
            self.decoder.skip_elements(self.left);
            self.left = 0;
            return Ok(None);
        }
        self.left -= 2;
        self.decoder.blob().map(Some)
    }

    /// The value of the key before.
    pub fn value<E: Encoder, R: ReplyKind<E>>(
        &mut self,
        encoder: E,
    ) -> Result<R::Value, DecodeError> {
        R::decode(self.decoder, encoder)
    }
}

fn number(line: &[u8]) -> Option<usize> {
    let mut value = 0usize;
    for byte in line {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(usize::from(digit))?;
    }
    Some(value)
}

fn parse_i64(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
