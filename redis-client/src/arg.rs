//! Arguments: what a user may pass, and the one type it is turned into at once.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::encoder::{Encoder, Raw, TakesText, Utf8};
use crate::kind;

/// One argument of a command, its Rust type erased: borrowed, owned, or a number that is formatted
/// straight into the connection's write buffer.
#[derive(Clone)]
pub struct Arg<'a>(Repr<'a>);

#[derive(Clone)]
enum Repr<'a> {
    Borrowed(&'a [u8]),
    Owned(Vec<u8>),
    Integer(i64),
    Unsigned(u64),
    Double(f64),
}

impl<'a> Arg<'a> {
    /// Text, as it is.
    pub const fn from_text(text: &'a str) -> Self {
        Self(Repr::Borrowed(text.as_bytes()))
    }

    /// An integer in decimal.
    pub const fn from_i64(value: i64) -> Self {
        Self(Repr::Integer(value))
    }

    /// An unsigned integer in decimal.
    pub const fn from_u64(value: u64) -> Self {
        Self(Repr::Unsigned(value))
    }

    /// A double in the shortest form that reads back the same; infinity as `inf`.
    pub const fn from_f64(value: f64) -> Self {
        Self(Repr::Double(value))
    }

    /// `1` or `0`.
    pub const fn from_bool(value: bool) -> Self {
        Self(Repr::Borrowed(if value { b"1" } else { b"0" }))
    }

    /// Calls `f` with the bytes for the wire.
    #[inline]
    pub(crate) fn with_bytes<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        match &self.0 {
            Repr::Borrowed(bytes) => f(bytes),
            Repr::Owned(bytes) => f(bytes),
            Repr::Integer(value) => f(itoa::Buffer::new().format(*value).as_bytes()),
            Repr::Unsigned(value) => f(itoa::Buffer::new().format(*value).as_bytes()),
            Repr::Double(value) => with_double(*value, f),
        }
    }

    /// At least as many bytes as it takes on the wire, without framing.
    pub(crate) fn size_hint(&self) -> usize {
        match &self.0 {
            Repr::Borrowed(bytes) => bytes.len(),
            Repr::Owned(bytes) => bytes.len(),
            Repr::Integer(_) | Repr::Unsigned(_) | Repr::Double(_) => 24,
        }
    }
}

fn with_double<T>(value: f64, f: impl FnOnce(&[u8]) -> T) -> T {
    if value == f64::INFINITY {
        f(b"inf")
    } else if value == f64::NEG_INFINITY {
        f(b"-inf")
    } else if value.is_nan() {
        f(b"nan")
    } else {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        f(text.strip_suffix(".0").unwrap_or(text).as_bytes())
    }
}

impl fmt::Debug for Arg<'_> {
    /// Arguments may be secrets: only their size is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arg({} bytes)", self.size_hint())
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Repr::Borrowed(bytes))
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::from_text(text)
    }
}

impl From<String> for Arg<'_> {
    fn from(text: String) -> Self {
        Self(Repr::Owned(text.into_bytes()))
    }
}

impl From<Vec<u8>> for Arg<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Repr::Owned(bytes))
    }
}

impl From<i64> for Arg<'_> {
    fn from(value: i64) -> Self {
        Self::from_i64(value)
    }
}

impl From<f64> for Arg<'_> {
    fn from(value: f64) -> Self {
        Self::from_f64(value)
    }
}

/// What can be an argument for a client with the encoder `E`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an argument for a client with the encoder `{E}`",
    label = "not an argument for the encoder `{E}`",
    note = "the default encoder `Utf8` takes strings and numbers",
    note = "for bytes use `client.with_encoder(Raw)`, for serde types pass `Json(&value)`, for your own types implement `ToArg` for your encoder"
)]
pub trait ToArg<'a, E> {
    /// The argument, ready to be written.
    fn to_arg(self, encoder: E) -> Arg<'a>;
}

macro_rules! text_args {
    ($([$($life:lifetime)?] $type:ty => |$value:ident| $arg:expr;)*) => {$(
        impl<'a $(, $life: 'a)?, E: TakesText> ToArg<'a, E> for $type {
            #[inline]
            fn to_arg(self, _: E) -> Arg<'a> { let $value = self; $arg }
        }
    )*};
}

text_args! {
    [] &'a str => |text| Arg::from_text(text);
    ['b] &'a &'b str => |text| Arg::from_text(text);
    [] String => |text| Arg::from(text);
    [] &'a String => |text| Arg::from_text(text);
    ['b] &'a &'b String => |text| Arg::from_text(text);
    [] Box<str> => |text| Arg::from(String::from(text));
    [] &'a Box<str> => |text| Arg::from_text(text);
    [] std::sync::Arc<str> => |text| Arg::from(String::from(&*text));
    [] &'a std::sync::Arc<str> => |text| Arg::from_text(text);
    [] Cow<'a, str> => |text| match text { Cow::Borrowed(text) => Arg::from_text(text), Cow::Owned(text) => Arg::from(text) };
    ['b] &'a Cow<'b, str> => |text| Arg::from_text(text);
    [] char => |character| Arg::from(String::from(character));
}

macro_rules! byte_args {
    ($([$($generics:tt)*] $type:ty => |$value:ident| $arg:expr;)*) => {$(
        impl<'a, $($generics)*> ToArg<'a, Raw> for $type {
            #[inline]
            fn to_arg(self, _: Raw) -> Arg<'a> { let $value = self; $arg }
        }
    )*};
}

byte_args! {
    [] &'a [u8] => |bytes| Arg::from(bytes);
    ['b: 'a] &'a &'b [u8] => |bytes| Arg::from(*bytes);
    [const N: usize] &'a [u8; N] => |bytes| Arg::from(bytes.as_slice());
    [const N: usize] [u8; N] => |bytes| Arg::from(bytes.to_vec());
    ['b: 'a, const N: usize] &'a &'b [u8; N] => |bytes| Arg::from(bytes.as_slice());
    [] Vec<u8> => |bytes| Arg::from(bytes);
    [] &'a Vec<u8> => |bytes| Arg::from(bytes.as_slice());
    [] Box<[u8]> => |bytes| Arg::from(bytes.into_vec());
    [] Bytes => |bytes| Arg::from(Vec::from(bytes));
    [] &'a Bytes => |bytes| Arg::from(&bytes[..]);
    ['b: 'a] &'a &'b Bytes => |bytes| Arg::from(&bytes[..]);
    [] BytesMut => |bytes| Arg::from(Vec::from(bytes));
    [] &'a BytesMut => |bytes| Arg::from(&bytes[..]);
    [] Cow<'a, [u8]> => |bytes| match bytes { Cow::Borrowed(bytes) => Arg::from(bytes), Cow::Owned(bytes) => Arg::from(bytes) };
}

macro_rules! number_args {
    ($($type:ty => $integer:ident, |$value:ident| $arg:expr;)*) => {$(
        impl<'a, E: Encoder> ToArg<'a, E> for $type {
            #[inline]
            fn to_arg(self, _: E) -> Arg<'a> { let $value = self; $arg }
        }
        impl<'a, E: Encoder> ToArg<'a, E> for &'a $type {
            #[inline]
            fn to_arg(self, _: E) -> Arg<'a> { let $value = *self; $arg }
        }
        impl ToDouble for $type {
            #[inline]
            fn to_double(self) -> Arg<'static> { let $value = self; $arg }
        }
        impl ToDouble for &$type {
            #[inline]
            fn to_double(self) -> Arg<'static> { let $value = *self; $arg }
        }
        number_args!($integer $type, |$value| $arg);
    )*};
    (integer $type:ty, |$value:ident| $arg:expr) => {
        impl ToInteger for $type {
            #[inline]
            fn to_integer(self) -> Arg<'static> { let $value = self; $arg }
        }
        impl ToInteger for &$type {
            #[inline]
            fn to_integer(self) -> Arg<'static> { let $value = *self; $arg }
        }
    };
    (double $type:ty, |$value:ident| $arg:expr) => {};
}

number_args! {
    i8 => integer, |value| Arg::from_i64(i64::from(value));
    i16 => integer, |value| Arg::from_i64(i64::from(value));
    i32 => integer, |value| Arg::from_i64(i64::from(value));
    i64 => integer, |value| Arg::from_i64(value);
    u8 => integer, |value| Arg::from_u64(u64::from(value));
    u16 => integer, |value| Arg::from_u64(u64::from(value));
    u32 => integer, |value| Arg::from_u64(u64::from(value));
    u64 => integer, |value| Arg::from_u64(value);
    usize => integer, |value| Arg::from_u64(value as u64);
    isize => integer, |value| Arg::from_i64(value as i64);
    f32 => double, |value| Arg::from_f64(f64::from(value));
    f64 => double, |value| Arg::from_f64(value);
}

/// An argument that is encoded already, for every encoder.
impl<'a, 'b: 'a, E: Encoder> ToArg<'a, E> for Arg<'b> {
    fn to_arg(self, _: E) -> Arg<'a> {
        self
    }
}

/// Integers of any width, for lists of them.
#[diagnostic::on_unimplemented(message = "`{Self}` is not an integer argument")]
pub trait ToInteger {
    /// The argument.
    fn to_integer(self) -> Arg<'static>;
}

/// Numbers: doubles and integers.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a number argument")]
pub trait ToDouble {
    /// The argument.
    fn to_double(self) -> Arg<'static>;
}

/// How long a blocking command waits on the server. Zero waits for ever. A negative one is refused
/// before anything is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timeout(pub(crate) Option<Duration>);

impl Timeout {
    /// The argument in seconds, with a fraction where there is one.
    pub fn seconds_arg(self) -> Arg<'static> {
        let duration = self.0.unwrap_or_default();
        if duration.subsec_nanos() == 0 {
            Arg::from_u64(duration.as_secs())
        } else {
            Arg::from_f64(duration.as_secs_f64())
        }
    }

    /// The argument in milliseconds; a fraction of one is rounded up, so that it is never zero.
    pub fn milliseconds_arg(self) -> Arg<'static> {
        let milliseconds = self.0.unwrap_or_default().as_nanos().div_ceil(1_000_000);
        Arg::from_u64(u64::try_from(milliseconds).unwrap_or(u64::MAX))
    }
}

/// The timeout of a blocking command: a number in the command's own unit, or a [`Duration`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a timeout",
    note = "a timeout is a number (in the unit that the method states) or a `std::time::Duration`"
)]
pub trait ToTimeout {
    /// With plain numbers taken as seconds.
    fn to_timeout(self) -> Timeout;
    /// With plain numbers taken as milliseconds.
    fn to_timeout_ms(self) -> Timeout;
}

impl ToTimeout for Duration {
    fn to_timeout(self) -> Timeout {
        Timeout(Some(self))
    }

    fn to_timeout_ms(self) -> Timeout {
        Timeout(Some(self))
    }
}

macro_rules! timeouts {
    ($($integer:ty)*) => {$(
        impl ToTimeout for $integer {
            fn to_timeout(self) -> Timeout {
                Timeout(u64::try_from(self).ok().map(Duration::from_secs))
            }
            fn to_timeout_ms(self) -> Timeout {
                Timeout(u64::try_from(self).ok().map(Duration::from_millis))
            }
        }
    )*};
}

timeouts! { i32 u32 i64 u64 usize }

impl ToTimeout for f64 {
    fn to_timeout(self) -> Timeout {
        Timeout(Duration::try_from_secs_f64(self).ok())
    }

    fn to_timeout_ms(self) -> Timeout {
        Timeout(Duration::try_from_secs_f64(self / 1000.0).ok())
    }
}

/// An element of a map argument: `(key, value)` by value or by reference. `V` says what the second
/// one is: [`kind::Native`] (through the encoder), [`kind::Text`] or [`kind::Float`] (a score).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pair of arguments for a client with the encoder `{E}`",
    note = "pass pairs: an array or slice of tuples, a `HashMap`, a `BTreeMap`, …"
)]
pub trait ToPair<'a, E, V> {
    /// Both arguments.
    fn to_pair(self, encoder: E) -> (Arg<'a>, Arg<'a>);
}

impl<'a, E: Encoder, K: ToArg<'a, E>, T: ToArg<'a, E>> ToPair<'a, E, kind::Native> for (K, T) {
    fn to_pair(self, encoder: E) -> (Arg<'a>, Arg<'a>) {
        (self.0.to_arg(encoder), self.1.to_arg(encoder))
    }
}

impl<'a, E: Encoder, K, T> ToPair<'a, E, kind::Native> for &'a (K, T)
where
    &'a K: ToArg<'a, E>,
    &'a T: ToArg<'a, E>,
{
    fn to_pair(self, encoder: E) -> (Arg<'a>, Arg<'a>) {
        (self.0.to_arg(encoder), self.1.to_arg(encoder))
    }
}

impl<'a, E: Encoder, K: ToArg<'a, E>, T: ToArg<'a, Utf8>> ToPair<'a, E, kind::Text> for (K, T) {
    fn to_pair(self, encoder: E) -> (Arg<'a>, Arg<'a>) {
        (self.0.to_arg(encoder), self.1.to_arg(Utf8))
    }
}

impl<'a, E: Encoder, K, T> ToPair<'a, E, kind::Text> for &'a (K, T)
where
    &'a K: ToArg<'a, E>,
    &'a T: ToArg<'a, Utf8>,
{
    fn to_pair(self, encoder: E) -> (Arg<'a>, Arg<'a>) {
        (self.0.to_arg(encoder), self.1.to_arg(Utf8))
    }
}

impl<'a, E: Encoder, K: ToArg<'a, E>, T: ToDouble> ToPair<'a, E, kind::Float> for (K, T) {
    fn to_pair(self, encoder: E) -> (Arg<'a>, Arg<'a>) {
        (self.0.to_arg(encoder), self.1.to_double())
    }
}

impl<'a, E: Encoder, K, T> ToPair<'a, E, kind::Float> for &'a (K, T)
where
    &'a K: ToArg<'a, E>,
    &'a T: ToDouble,
{
    fn to_pair(self, encoder: E) -> (Arg<'a>, Arg<'a>) {
        (self.0.to_arg(encoder), self.1.to_double())
    }
}

/// A boundary of a range of scores: `ZScoreBoundary::new(1.5)`, `.excluded()`, or just a number.
///
/// ```
/// use redis_client::ZScoreBoundary;
///
/// let from = ZScoreBoundary::new(1.5).excluded();
/// assert!(from.exclude_boundary);
/// assert_eq!(ZScoreBoundary::MAX.value, f64::INFINITY);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZScoreBoundary {
    /// The score at the boundary.
    pub value: f64,
    /// Whether members with exactly this score are left out.
    pub exclude_boundary: bool,
}

impl ZScoreBoundary {
    /// Below every score.
    pub const MIN: Self = Self::new(f64::NEG_INFINITY);
    /// Above every score.
    pub const MAX: Self = Self::new(f64::INFINITY);

    /// A boundary that is part of the range.
    pub const fn new(value: f64) -> Self {
        Self {
            value,
            exclude_boundary: false,
        }
    }

    /// The same boundary, not part of the range.
    pub const fn excluded(self) -> Self {
        Self {
            exclude_boundary: true,
            ..self
        }
    }

    /// The argument: `1.5`, `(1.5`, `-inf`, …
    pub fn to_arg(self) -> Arg<'static> {
        if self.exclude_boundary {
            Arg::from(with_double(self.value, |text| [b"(", text].concat()))
        } else {
            Arg::from_f64(self.value)
        }
    }
}

macro_rules! boundaries {
    ($($number:ty)*) => {$(
        impl From<$number> for ZScoreBoundary {
            fn from(value: $number) -> Self {
                Self::new(f64::from(value))
            }
        }
    )*};
}

boundaries! { f64 f32 i32 u32 i16 u16 i8 u8 }

/// A boundary of a range of members in lexicographical order.
///
/// ```
/// use redis_client::{Utf8, ZLexBoundary};
///
/// let from = ZLexBoundary::<Utf8>::included("a");
/// let to = ZLexBoundary::<Utf8>::MAX;
/// ```
pub struct ZLexBoundary<'a, E> {
    arg: Arg<'a>,
    encoder: PhantomData<fn() -> E>,
}

impl<'a, E: Encoder> ZLexBoundary<'a, E> {
    /// Before every member.
    pub const MIN: Self = Self::of(Arg::from_text("-"));
    /// After every member.
    pub const MAX: Self = Self::of(Arg::from_text("+"));

    /// From or to `member`, which is part of the range.
    pub fn included(member: impl ToArg<'a, E>) -> Self
    where
        E: Default,
    {
        Self::prefixed(b"[", member)
    }

    /// From or to `member`, which is not part of the range.
    pub fn excluded(member: impl ToArg<'a, E>) -> Self
    where
        E: Default,
    {
        Self::prefixed(b"(", member)
    }

    fn prefixed(prefix: &[u8], member: impl ToArg<'a, E>) -> Self
    where
        E: Default,
    {
        Self::of(Arg::from(
            member
                .to_arg(E::default())
                .with_bytes(|bytes| [prefix, bytes].concat()),
        ))
    }

    const fn of(arg: Arg<'a>) -> Self {
        Self {
            arg,
            encoder: PhantomData,
        }
    }

    /// The argument.
    pub fn to_arg(self) -> Arg<'a> {
        self.arg
    }
}

impl<E> fmt::Debug for ZLexBoundary<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ZLexBoundary").field(&self.arg).finish()
    }
}
