use bytes::Bytes;

/// As much as a `GET` of 64 bytes needs, so that small replies cost neither an allocation nor a
/// reference count.
const INLINE: usize = 94;

/// The bytes of one complete reply.
#[derive(Clone)]
pub struct Frame(Repr);

#[derive(Clone)]
enum Repr {
    Small { len: u8, bytes: [u8; INLINE] },
    Shared(Bytes),
}

impl Frame {
    pub(crate) const INLINE: usize = INLINE;

    /// A copy of a small frame, if it is one.
    pub(crate) fn copy_small(source: &[u8]) -> Option<Self> {
        let mut bytes = [0; INLINE];
        bytes.get_mut(..source.len())?.copy_from_slice(source);
        let len = u8::try_from(source.len()).ok()?;
        Some(Self(Repr::Small { len, bytes }))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Small { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Repr::Shared(bytes) => bytes,
        }
    }

    /// The allocation that holds the frame, for replies that keep a slice of it.
    pub(crate) fn shared(&self) -> Option<&Bytes> {
        match &self.0 {
            Repr::Small { .. } => None,
            Repr::Shared(bytes) => Some(bytes),
        }
    }
}

impl From<Bytes> for Frame {
    fn from(bytes: Bytes) -> Self {
        Self(Repr::Shared(bytes))
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({} bytes)", self.bytes().len())
    }
}
