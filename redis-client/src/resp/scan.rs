use std::fmt;

use smallvec::SmallVec;

/// Bytes that no server should send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The first byte of an element is none of RESP's.
    UnknownType(u8),
    /// A length or count that is no number, or a negative one.
    BadLength,
    /// A line or bulk string that does not end in CRLF.
    BadTerminator,
    /// A push within another reply.
    NestedPush,
    /// Deeper than [`ReplyLimits::depth`].
    TooDeep(usize),
    /// Larger than [`ReplyLimits::frame`].
    TooLarge(usize),
    /// A status, error or number without an end.
    LineTooLong(usize),
    /// A reply that nobody asked for.
    Unsolicited,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(byte) => write!(
                f,
                "the reply holds the byte 0x{byte:02x} where an element should begin"
            ),
            Self::BadLength => {
                f.write_str("the reply announces a length that is not a number from 0 upwards")
            }
            Self::BadTerminator => f.write_str("an element of the reply does not end in CRLF"),
            Self::NestedPush => f.write_str("the reply has a push message inside"),
            Self::TooDeep(levels) => write!(f, "the reply is nested deeper than {levels} levels"),
            Self::TooLarge(bytes) => {
                write!(f, "the reply is larger than the limit of {bytes} bytes")
            }
            Self::LineTooLong(bytes) => {
                write!(f, "a line of the reply is longer than {bytes} bytes")
            }
            Self::Unsolicited => f.write_str("the server sent a reply that nobody asked for"),
        }
    }
}

impl std::error::Error for ProtocolError {}

/// How large a reply may be before the connection is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Bytes of one reply that is held in memory as a whole (a streaming reply: of one element).
    /// Default: 1 GiB.
    pub frame: usize,
    /// Levels of nesting. Default: 64.
    pub depth: usize,
}

impl Default for ReplyLimits {
    fn default() -> Self {
        Self {
            frame: 1 << 30,
            depth: 64,
        }
    }
}

const LINE: usize = 64 * 1024;

/// Finds the end of the frame at the start of a buffer, and goes on where it stopped when more
/// bytes have arrived. It allocates nothing for what a length announces.
#[derive(Debug, Clone)]
pub struct Scanner {
    limits: ReplyLimits,
    /// Elements that are still to come, level by level.
    open: SmallVec<[u64; 8]>,
    /// Where the next element begins.
    at: usize,
    /// How long the buffer must be before another look is worth it.
    need: usize,
    /// Where an even number of elements of the outermost aggregate is left and the last one ended.
    boundary: usize,
    boundary_left: u64,
    /// The last thing in the outermost aggregate was an attribute, which belongs to what comes next.
    attribute: bool,
    top: Option<Top>,
}

/// The outermost element of a frame, after its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Top {
    /// Its type byte.
    pub tag: u8,
    /// Where its header begins, and where its contents do.
    pub at: usize,
    pub body: usize,
    /// Elements (twice the pairs of a map) of an aggregate, bytes of a bulk string.
    pub len: u64,
}

impl Scanner {
    /// A scanner at the start of a frame.
    pub fn new(limits: ReplyLimits) -> Self {
        Self {
            limits,
            open: SmallVec::from_slice(&[1]),
            at: 0,
            need: 1,
            boundary: 0,
            boundary_left: 0,
            attribute: false,
            top: None,
        }
    }

    /// Begins the next frame, at the start of the buffer.
    pub fn reset(&mut self) {
        self.open.clear();
        self.open.push(1);
        self.at = 0;
        self.need = 1;
        self.boundary = 0;
        self.boundary_left = 0;
        self.attribute = false;
        self.top = None;
    }

    /// Takes the elements of a frame one by one from here on: the buffer begins after `consumed`
    /// bytes of it, at one of its elements.
    pub fn continue_at(&mut self, consumed: usize) {
        self.at = self.at.saturating_sub(consumed);
        self.need = self.need.saturating_sub(consumed);
        self.boundary = self.boundary.saturating_sub(consumed);
    }

    /// The outermost element, once its header has been seen.
    pub fn top(&self) -> Option<Top> {
        self.top
    }

    /// The end of the last element before which the frame can be cut in two, and the number of
    /// elements after it.
    pub fn boundary(&self) -> (usize, u64) {
        (self.boundary, self.boundary_left)
    }

    /// How long the buffer has to be before [`scan`](Self::scan) can get any further.
    pub fn need(&self) -> usize {
        self.need
    }

    /// The end of the frame, if the buffer holds all of it.
    pub fn scan(&mut self, buffer: &[u8]) -> Result<Option<usize>, ProtocolError> {
        if buffer.len() < self.need {
            return Ok(None);
        }
        loop {
            let Some(&tag) = buffer.get(self.at) else {
                return self.wait_for(self.at + 1);
            };
            let Some(line_end) = self.line_end(buffer)? else {
                return self.wait_for(buffer.len() + 1);
            };
            let line = buffer.get(self.at + 1..line_end - 2).unwrap_or_default();
            let top_level = self.open.len() == 1;
            let mut element = Top {
                tag,
                at: self.at,
                body: line_end,
                len: 0,
            };
            let mut end = line_end;
            let mut children = None;
            match tag {
                b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => {}
                b'$' | b'=' | b'!' => {
                    if let Some(len) = length(tag, line)? {
                        element.len = len;
                        let len = usize::try_from(len).unwrap_or(usize::MAX);
                        if top_level && self.top.is_none() {
                            // Seen before it is complete, so that a large one can be streamed.
                            self.top = Some(element);
                        }
                        end = line_end.saturating_add(len).saturating_add(2);
                        if end > self.limits.frame {
                            return Err(ProtocolError::TooLarge(self.limits.frame));
                        }
                        let Some(terminator) = buffer.get(end - 2..end) else {
                            self.need = end;
                            return Ok(None);
                        };
                        if terminator != b"\r\n" {
                            return Err(ProtocolError::BadTerminator);
                        }
                    }
                }
                b'*' | b'~' | b'>' | b'%' | b'|' => {
                    if tag == b'>' && !top_level {
                        return Err(ProtocolError::NestedPush);
                    }
                    let count = length(tag, line)?.unwrap_or(0);
                    let factor = if matches!(tag, b'%' | b'|') { 2 } else { 1 };
                    let count = count.checked_mul(factor).ok_or(ProtocolError::BadLength)?;
                    element.len = count;
                    children = Some(count);
                }
                other => return Err(ProtocolError::UnknownType(other)),
            }
            if end > self.limits.frame {
                return Err(ProtocolError::TooLarge(self.limits.frame));
            }
            self.at = end;
            if self.open.len() == 2 {
                self.attribute = tag == b'|';
            }
            if tag != b'|' {
                if top_level {
                    self.top = Some(element);
                }
                if let Some(left) = self.open.last_mut() {
                    *left -= 1;
                }
            }
            if let Some(count) = children.filter(|count| *count > 0) {
                if self.open.len() > self.limits.depth {
                    return Err(ProtocolError::TooDeep(self.limits.depth));
                }
                self.open.push(count);
            }
            while self.open.last() == Some(&0) {
                self.open.pop();
            }
            match *self.open.as_slice() {
                [] => {
                    self.boundary = self.at;
                    self.boundary_left = 0;
                    return Ok(Some(self.at));
                }
                // An even rest keeps the pairs of a flat map together.
                [_, left] if left % 2 == 0 && !self.attribute => {
                    self.boundary = self.at;
                    self.boundary_left = left;
                }
                _ => {}
            }
        }
    }

    fn wait_for(&mut self, need: usize) -> Result<Option<usize>, ProtocolError> {
        self.need = need;
        Ok(None)
    }

    /// The end of the line at `at`, behind its CRLF.
    fn line_end(&self, buffer: &[u8]) -> Result<Option<usize>, ProtocolError> {
        let rest = buffer.get(self.at..).unwrap_or_default();
        let window = rest.get(..LINE).unwrap_or(rest);
        let Some(cr) = window.iter().position(|byte| *byte == b'\r') else {
            return if rest.len() >= LINE {
                Err(ProtocolError::LineTooLong(LINE))
            } else {
                self.known(rest)
            };
        };
        match rest.get(cr + 1) {
            Some(b'\n') => Ok(Some(self.at + cr + 2)),
            Some(_) => Err(ProtocolError::BadTerminator),
            None => self.known(rest),
        }
    }

    /// Refuses garbage at its first byte, before a line of it is complete.
    fn known(&self, rest: &[u8]) -> Result<Option<usize>, ProtocolError> {
        match rest.first() {
            Some(tag) if !b"+-:_,#($=!*~>%|".contains(tag) => Err(ProtocolError::UnknownType(*tag)),
            _ => Ok(None),
        }
    }
}

/// A length: digits, or `-1` for null, which RESP2 has as a string and as an array.
fn length(tag: u8, line: &[u8]) -> Result<Option<u64>, ProtocolError> {
    if line == b"-1" && matches!(tag, b'$' | b'*') {
        return Ok(None);
    }
    if line.is_empty() || line.len() > 19 {
        return Err(ProtocolError::BadLength);
    }
    let mut length = 0u64;
    for byte in line {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(ProtocolError::BadLength);
        }
        length = length * 10 + u64::from(digit);
    }
    // The servers' lengths are signed 64-bit numbers.
    if length > i64::MAX as u64 {
        return Err(ProtocolError::BadLength);
    }
    Ok(Some(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(bytes: &[u8]) -> Result<Option<usize>, ProtocolError> {
        Scanner::new(ReplyLimits::default()).scan(bytes)
    }

    #[test]
    fn finds_the_end_of_every_type() {
        for frame in [
            &b"+OK\r\n"[..],
            b"-ERR no\r\n",
            b":-12\r\n",
            b"_\r\n",
            b",1.5\r\n",
            b"#t\r\n",
            b"(123456789012345678901234567890\r\n",
            b"$5\r\nhello\r\n",
            b"$0\r\n\r\n",
            b"$-1\r\n",
            b"*-1\r\n",
            b"*0\r\n",
            b"=7\r\ntxt:abc\r\n",
            b"!5\r\nERR x\r\n",
            b"*2\r\n:1\r\n*2\r\n$1\r\na\r\n_\r\n",
            b"%1\r\n+k\r\n~2\r\n:1\r\n:2\r\n",
            b">2\r\n+a\r\n+b\r\n",
            b"|1\r\n+ttl\r\n:3\r\n$1\r\nx\r\n",
            b"*1\r\n|1\r\n+a\r\n:1\r\n:2\r\n",
            b"|0\r\n+OK\r\n",
        ] {
            assert_eq!(
                scan(frame),
                Ok(Some(frame.len())),
                "{}",
                frame.escape_ascii()
            );
            let mut longer = frame.to_vec();
            longer.extend_from_slice(b"+next\r\n");
            assert_eq!(
                scan(&longer),
                Ok(Some(frame.len())),
                "{}",
                frame.escape_ascii()
            );
            let mut scanner = Scanner::new(ReplyLimits::default());
            for cut in 0..frame.len() {
                assert_eq!(
                    scanner.scan(&frame[..cut]),
                    Ok(None),
                    "{}",
                    frame[..cut].escape_ascii()
                );
            }
            assert_eq!(scanner.scan(frame), Ok(Some(frame.len())));
        }
    }

    #[test]
    fn refuses_what_no_server_sends() {
        use ProtocolError::*;
        for (bytes, error) in [
            (&b"GET / HTTP/1.1\r\n"[..], UnknownType(b'G')),
            (b"x", UnknownType(b'x')),
            (b"$-5\r\n", BadLength),
            (b"*-2\r\n", BadLength),
            (b"=-1\r\n", BadLength),
            (b"!-1\r\n", BadLength),
            (b"%-1\r\n", BadLength),
            (b"~-1\r\n", BadLength),
            (b">-1\r\n", BadLength),
            (b"|-1\r\n", BadLength),
            (b"$abc\r\n", BadLength),
            (b"$\r\n", BadLength),
            (b"*99999999999999999999\r\n", BadLength),
            (b"%9223372036854775807\r\n", BadLength),
            (b"$9223372036854775807\r\n", TooLarge(1 << 30)),
            (b"$3\r\nabcde", BadTerminator),
            (b"+a\rb\r\n", BadTerminator),
            (b"*1\r\n>1\r\n:1\r\n", NestedPush),
            (b"$?\r\n", BadLength),
        ] {
            // A map's count is doubled; that must not wrap around.
            let result = scan(bytes);
            if bytes.starts_with(b"%") {
                assert!(matches!(result, Ok(None) | Err(BadLength)), "{result:?}");
            } else {
                assert_eq!(result, Err(error), "{}", bytes.escape_ascii());
            }
        }
        assert_eq!(scan(&b"*1\r\n".repeat(200_000)), Err(TooDeep(64)));
        assert_eq!(scan(&[b'+'; 100_000]), Err(LineTooLong(LINE)));
    }

    #[test]
    fn a_huge_count_waits_and_allocates_nothing() {
        let mut scanner = Scanner::new(ReplyLimits::default());
        assert_eq!(scanner.scan(b"*9223372036854775807\r\n"), Ok(None));
        assert_eq!(scanner.top().map(|top| top.len), Some(i64::MAX as u64));
    }

    #[test]
    fn boundaries_leave_an_even_number_of_elements() {
        let mut scanner = Scanner::new(ReplyLimits::default());
        assert_eq!(scanner.scan(b"*5\r\n:1\r\n:2\r\n:3\r\n"), Ok(None));
        assert_eq!(scanner.boundary(), (b"*5\r\n:1\r\n:2\r\n:3\r\n".len(), 2));
        assert_eq!(scanner.scan(b"*5\r\n:1\r\n:2\r\n:3\r\n:4\r\n"), Ok(None));
        assert_eq!(scanner.boundary().1, 2);
    }
}
