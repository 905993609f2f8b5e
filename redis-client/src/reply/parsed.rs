use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::ReplyKind;
use super::kind;
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::resp::{Blob, DecodeError, Decoder, Frame, Value};

/// A status such as `OK` or `PONG`. It compares with text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StatusReply(Cow<'static, str>);

impl StatusReply {
    pub(crate) fn new(text: Blob<'_>) -> Self {
        Self(match text.as_bytes() {
            b"OK" => Cow::Borrowed("OK"),
            b"PONG" => Cow::Borrowed("PONG"),
            b"QUEUED" => Cow::Borrowed("QUEUED"),
            _ => Cow::Owned(text.to_text_lossy()),
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StatusReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StatusReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusReply({:?})", self.0)
    }
}

impl PartialEq<str> for StatusReply {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for StatusReply {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl AsRef<str> for StatusReply {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What a blocking pop gives: the key, and the element popped from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BlockingPopReply<N> {
    /// The key of the list.
    pub list_name: N,
    /// The element.
    pub value: N,
}

impl<N> BlockingPopReply<N> {
    pub(crate) fn decode<E: Encoder<Native = N>>(
        reply: &mut Decoder<'_>,
        encoder: E,
    ) -> Result<Self, DecodeError> {
        if reply.null() {
            return Err(DecodeError::TimedOut);
        }
        let (list_name, value) = kind::pair::<E, kind::Native, kind::Native>(reply, true, encoder)?;
        Ok(Self { list_name, value })
    }
}

/// What INFO says.
///
/// `info.text("redis_version")` is a field as text, `info.parse("connected_clients")` as a number
/// or any type that can be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InfoReply(String);

impl InfoReply {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// A field as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(_, field, _)| *field == name)
            .map(|(_, _, value)| value)
    }

    /// A field, parsed; `None` also where it does not parse.
    pub fn parse<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// All fields: section (`Server`), name, value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let mut section = "";
        self.0.lines().filter_map(move |line| {
            if let Some(name) = line.strip_prefix("# ") {
                section = name;
                return None;
            }
            let (name, value) = line.split_once(':')?;
            Some((section, name, value))
        })
    }

    /// The text as the server sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The connections that CLIENT LIST shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientListReply(Vec<ClientInfo>);

impl ClientListReply {
    pub(crate) fn new(text: &str) -> Self {
        Self(
            text.lines()
                .filter(|line| !line.is_empty())
                .map(ClientInfo::new)
                .collect(),
        )
    }

    /// The connections.
    pub fn iter(&self) -> std::slice::Iter<'_, ClientInfo> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for ClientListReply {
    type Item = ClientInfo;
    type IntoIter = std::vec::IntoIter<ClientInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a ClientListReply {
    type Item = &'a ClientInfo;
    type IntoIter = std::slice::Iter<'a, ClientInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One connection of CLIENT LIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInfo(String);

impl ClientInfo {
    fn new(line: &str) -> Self {
        Self(line.to_owned())
    }

    /// A field as text: `addr`, `name`, `db`, `cmd`, …
    pub fn text(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(field, _)| *field == name)
            .map(|(_, value)| value)
    }

    /// A field, parsed; `None` also where it does not parse.
    pub fn parse<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// The connection's ID.
    pub fn id(&self) -> Option<u64> {
        self.parse("id")
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.split(' ').filter_map(|field| field.split_once('='))
    }
}

/// What CONFIG GET found: the first parameter, and all of them where a pattern was given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigPairReply {
    /// The name of the (first) parameter.
    pub parameter: String,
    /// Its value.
    pub value: String,
    /// All parameters that matched, the first among them.
    pub pairs: Vec<(String, String)>,
}

impl ConfigPairReply {
    pub(crate) fn decode(reply: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let pairs: Vec<(String, String)> = <kind::Pairs<kind::Text, kind::Text> as ReplyKind<
            crate::Utf8,
        >>::decode(reply, crate::Utf8)?;
        let (parameter, value) = pairs
            .first()
            .cloned()
            .ok_or(DecodeError::Missing("parameter"))?;
        Ok(Self {
            parameter,
            value,
            pairs,
        })
    }

    /// The value of a parameter.
    pub fn get(&self, parameter: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(name, _)| name == parameter)
            .map(|(_, value)| value.as_str())
    }
}

/// What a script or function returned. Scripts return what they like, so the caller says what it is.
#[derive(Clone)]
pub struct EvalScriptReply<E> {
    frame: Frame,
    encoder: E,
}

impl<E: Encoder> EvalScriptReply<E> {
    pub(crate) fn new(frame: Frame, encoder: E) -> Self {
        Self { frame, encoder }
    }

    /// The value as a tree.
    pub fn return_value(&self) -> Value {
        Decoder::new(&self.frame).value().unwrap_or(Value::Null)
    }

    /// A string in the client's native type.
    pub fn native(&self) -> Result<E::Native> {
        self.decode::<kind::Native>()
    }

    /// An integer.
    pub fn integer(&self) -> Result<i64> {
        self.decode::<kind::Integer>()
    }

    /// A list of strings in the client's native type.
    pub fn list(&self) -> Result<Vec<E::Native>> {
        self.decode::<kind::List<kind::Native>>()
    }

    /// Any [kind] of reply.
    pub fn decode<R: ReplyKind<E>>(&self) -> Result<R::Value> {
        R::decode(&mut Decoder::new(&self.frame), self.encoder).map_err(Error::decode)
    }
}

impl<E> fmt::Debug for EvalScriptReply<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EvalScriptReply")
            .field(&Decoder::new(&self.frame).value())
            .finish()
    }
}

impl<E> PartialEq for EvalScriptReply<E> {
    fn eq(&self, other: &Self) -> bool {
        self.frame.bytes() == other.frame.bytes()
    }
}

/// One step of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanPart<T> {
    /// The cursor for the next step; zero after the last one.
    pub cursor: u64,
    /// What this step found.
    pub items: T,
}
