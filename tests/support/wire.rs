use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};

/// Just enough of RESP2 and RESP3 to watch a server independently of the client under test: one
/// command, one reply.
#[derive(Debug)]
pub struct Wire<S> {
    stream: BufReader<S>,
}

/// A reply as [`Wire`] tells replies apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Null, of whatever type.
    Null,
    /// A string, verbatim string, status, double or big number as text; what is not UTF-8 is
    /// replaced.
    Text(String),
    /// An error.
    Error(String),
    /// An integer; also a boolean.
    Integer(i64),
    /// An array, set or push; also a map, as keys and values in turn.
    Array(Vec<Reply>),
}

impl Reply {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<S: Read + Write> Wire<S> {
    /// Speaks over a connected stream.
    pub fn new(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Sends a command and waits for its reply.
    pub fn command(&mut self, words: &[&str]) -> io::Result<Reply> {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.stream.get_mut().flush()?;
        self.reply()
    }

    /// Waits for a reply, or for something pushed.
    pub fn reply(&mut self) -> io::Result<Reply> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let line = line.strip_suffix("\r\n").ok_or(ErrorKind::UnexpectedEof)?;
        let (kind, rest) = line.split_at_checked(1).ok_or(ErrorKind::InvalidData)?;
        let number = || {
            rest.parse::<i64>()
                .map_err(|_| io::Error::from(ErrorKind::InvalidData))
        };
        Ok(match kind {
            "+" | "," | "(" => Reply::Text(rest.to_owned()),
            "-" => Reply::Error(rest.to_owned()),
            ":" => Reply::Integer(number()?),
            "#" => Reply::Integer((rest == "t").into()),
            "_" => Reply::Null,
            "$" | "=" | "!" => match usize::try_from(number()?) {
                Err(_negative) => Reply::Null,
                Ok(length) => {
                    let text = self.blob(length)?;
                    match kind {
                        "!" => Reply::Error(text),
                        // A verbatim string starts with its format: `txt:`.
                        "=" => Reply::Text(text.get(4..).unwrap_or_default().to_owned()),
                        _ => Reply::Text(text),
                    }
                }
            },
            "*" | "~" | ">" | "%" => match usize::try_from(number()?) {
                Err(_negative) => Reply::Null,
                Ok(length) => {
                    let length = if kind == "%" { 2 * length } else { length };
                    Reply::Array(
                        (0..length)
                            .map(|_| self.reply())
                            .collect::<io::Result<_>>()?,
                    )
                }
            },
            _ => return Err(ErrorKind::InvalidData.into()),
        })
    }

    fn blob(&mut self, length: usize) -> io::Result<String> {
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes)?;
        bytes.truncate(length);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
