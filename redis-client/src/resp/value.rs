use bytes::Bytes;

/// A reply as a tree: for scripts, for commands that are in no table, for fields that this version
/// does not know. RESP2 has fewer types, so the same reply may be `Array` there and `Map` in RESP3.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Null,
    /// A status such as `OK`.
    Status(String),
    /// An error within a reply.
    Error(String),
    /// An integer.
    Integer(i64),
    /// A double (RESP3).
    Double(f64),
    /// A boolean (RESP3).
    Bool(bool),
    /// An integer beyond 64 bits, in decimal (RESP3).
    BigNumber(String),
    /// A string that is UTF-8.
    Text(String),
    /// A string that is not.
    Blob(Bytes),
    /// An array.
    Array(Vec<Value>),
    /// A map, in the order of the server (RESP3).
    Map(Vec<(Value, Value)>),
    /// A set, in the order of the server (RESP3).
    Set(Vec<Value>),
}

impl Value {
    /// The integer, also of text that is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Bool(value) => Some(i64::from(*value)),
            Self::Text(text) | Self::BigNumber(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The number, also of text that is one.
    pub fn as_double(&self) -> Option<f64> {
        match self {
            Self::Double(value) => Some(*value),
            // Beyond 2^53 a double has no room for every integer; that is what is asked for here.
            Self::Integer(value) => Some(*value as f64),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The text of a string or status.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Status(text) | Self::Error(text) | Self::BigNumber(text) => {
                Some(text)
            }
            _ => None,
        }
    }

    /// The bytes of a string or status.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Blob(bytes) => Some(bytes),
            other => other.as_text().map(str::as_bytes),
        }
    }

    /// The elements of an array or set.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) | Self::Set(items) => Some(items),
            _ => None,
        }
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}
