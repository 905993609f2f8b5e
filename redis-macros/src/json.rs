//! JSON (RFC 8259) as a table needs it: objects keep their order and doubled keys, every key and
//! value has its position.
//!
//! A crate for it would be compiled by every user of the client. This one is called by macros,
//! which are compiled without optimisation: bytes are looked at one by one in plain loops.

use std::borrow::Cow;
use std::fmt;

/// A value, and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value<'t> {
    pub(crate) at: Position,
    pub(crate) data: Data<'t>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data<'t> {
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'t str),
    String(Cow<'t, str>),
    List(Vec<Value<'t>>),
    Object(Vec<Member<'t>>),
}

/// A key of an object and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member<'t> {
    pub(crate) at: Position,
    pub(crate) key: Cow<'t, str>,
    pub(crate) value: Value<'t>,
}

/// Both count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) at: Position,
    pub(crate) message: &'static str,
}

/// How deep values may stand inside of each other, so that no table overflows the compiler's stack.
const DEPTH: usize = 128;

pub(crate) fn parse(text: &str) -> Result<Value<'_>, SyntaxError> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        column: 1,
        counted: 0,
        depth: 0,
    };
    reader.skip_blanks();
    let value = reader.value()?;
    reader.skip_blanks();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.error("expected the end of the file")),
    }
}

impl<'t> Value<'t> {
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.data {
            Data::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn as_usize(&self) -> Option<usize> {
        self.as_number()?.parse().ok()
    }

    pub(crate) fn as_i64(&self) -> Option<i64> {
        self.as_number()?.parse().ok()
    }

    pub(crate) fn as_f64(&self) -> Option<f64> {
        let number = self.as_number()?.parse().ok();
        number.filter(|number: &f64| number.is_finite())
    }

    fn as_number(&self) -> Option<&'t str> {
        match self.data {
            Data::Number(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Value<'t>]> {
        match &self.data {
            Data::List(values) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&[Member<'t>]> {
        match &self.data {
            Data::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What it is, in words for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match self.data {
            Data::Null => "null",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::String(_) => "a string",
            Data::List(_) => "a list",
            Data::Object(_) => "an object",
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Recursive descent: every method reads what it is named after, and stops behind it.
struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    line: usize,
    /// The column of `counted`, which is where it was last asked for.
    column: usize,
    counted: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn value(&mut self) -> Result<Value<'t>, SyntaxError> {
        let at = self.position();
        let data = match self.peek() {
            Some(b'{') => Data::Object(self.elements(b'}', "expected `,` or `}`", Self::member)?),
            Some(b'[') => Data::List(self.elements(b']', "expected `,` or `]`", Self::value)?),
            Some(b'"') => Data::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Data::Number(self.number()?),
            _ if self.eat_word("true") => Data::Bool(true),
            _ if self.eat_word("false") => Data::Bool(false),
            _ if self.eat_word("null") => Data::Null,
            _ => return Err(self.error("expected a value")),
        };
        Ok(Value { at, data })
    }

    fn member(&mut self) -> Result<Member<'t>, SyntaxError> {
        let at = self.position();
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a key in double quotes"));
        }
        let key = self.string()?;
        self.skip_blanks();
        if !self.eat(b':') {
            return Err(self.error("expected `:`"));
        }
        self.skip_blanks();
        let value = self.value()?;
        Ok(Member { at, key, value })
    }

    /// What stands between brackets, with commas between.
    fn elements<T>(
        &mut self,
        close: u8,
        expected: &'static str,
        element: fn(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        if self.depth == DEPTH {
            return Err(self.error("nested too deep: 128 levels are possible"));
        }
        self.depth += 1;
        self.at += 1;
        let mut elements = Vec::new();
        self.skip_blanks();
        while !self.eat(close) {
            if !elements.is_empty() {
                if !self.eat(b',') {
                    return Err(self.error(expected));
                }
                self.skip_blanks();
            }
            elements.push(element(self)?);
            self.skip_blanks();
        }
        self.depth -= 1;
        Ok(elements)
    }

    /// Borrowed unless it has escapes.
    fn string(&mut self) -> Result<Cow<'t, str>, SyntaxError> {
        self.at += 1;
        let mut text = Cow::Borrowed("");
        loop {
            let start = self.at;
            let mut end = start;
            while end < self.bytes.len() && !matches!(self.bytes[end], b'"' | b'\\' | 0..0x20) {
                end += 1;
            }
            self.at = end;
            text += &self.text[start..end];
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => text.to_mut().push(self.escape()?),
                None | Some(b'\n' | b'\r') => {
                    return Err(self.error("expected `\"` before the end of the line"));
                }
                Some(_) => {
                    return Err(self.error("a control character must be escaped, such as `\\t`"));
                }
            }
        }
        self.at += 1;
        Ok(text)
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let at = self.position();
        let unescaped = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(at),
            _ => {
                let message = r#"unknown escape: use `\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t` or `\u0000`"#;
                return Err(SyntaxError { at, message });
            }
        };
        self.at += 2;
        Ok(unescaped)
    }

    /// One or two `\u0000`, which are UTF-16.
    fn unicode(&mut self, at: Position) -> Result<char, SyntaxError> {
        let mut units = Vec::new();
        while units.len() < 2 && self.eat_word("\\u") {
            let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
            if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(self.error("expected four hexadecimal digits"));
            }
            let unit = u16::from_str_radix(digits, 16).unwrap_or_default();
            self.at += 4;
            units.push(unit);
            if !matches!(unit, 0xd800..0xdc00) {
                break;
            }
        }
        match char::decode_utf16(units).next() {
            Some(Ok(unescaped)) => Ok(unescaped),
            _ => Err(SyntaxError {
                at,
                message: "half of a surrogate pair: both must be there, such as `\\ud83d\\ude00`",
            }),
        }
    }

    fn number(&mut self) -> Result<&'t str, SyntaxError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.error("expected a digit"));
        }
        Ok(())
    }

    /// Line breaks stand nowhere else.
    fn skip_blanks(&mut self) {
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    self.column = 1;
                    self.counted = self.at;
                }
                _ => break,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_here = self.peek() == Some(byte);
        self.at += usize::from(is_here);
        is_here
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let is_here = self.bytes[self.at..].starts_with(word.as_bytes());
        if is_here {
            self.at += word.len();
        }
        is_here
    }

    fn position(&mut self) -> Position {
        self.column += self.text[self.counted..self.at].chars().count();
        self.counted = self.at;
        Position {
            line: self.line,
            column: self.column,
        }
    }

    fn error(&mut self, message: &'static str) -> SyntaxError {
        let at = self.position();
        SyntaxError { at, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Option<String> {
        parse(text).ok()?.as_str().map(str::to_owned)
    }

    #[test]
    fn keys_and_values_have_their_positions() {
        let text = "{\n  \"b\": 1, \"ä\": [],\r\n  \"b\":\n\t{\"x\": null}}";
        let root = parse(text).expect("this is JSON");
        let members = root.as_object().expect("this is an object");
        let seen: Vec<_> = members
            .iter()
            .map(|Member { at, key, value }| format!("{at} {key}, {} {}", value.at, value.kind()))
            .collect();
        let expected = [
            "2:3 b, 2:8 a number",
            "2:11 ä, 2:16 a list",
            "3:3 b, 4:2 an object",
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn strings_are_unescaped() {
        for (text, expected) in [
            (r#""""#, ""),
            (r#""plain ä 😀 / ' ""#, "plain ä 😀 / ' "),
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""a\u00e4\u00E4b""#, "aääb"),
            (r#""\u0000\u001f\u0022\uffff""#, "\0\u{1f}\"\u{ffff}"),
            (r#""\ud83d\ude00\uD834\uDD1Ex""#, "😀𝄞x"),
            (r#""\ud7ff\ue000""#, "\u{d7ff}\u{e000}"),
            (r#""\\u0041""#, "\\u0041"),
            ("\"\u{7f}\u{2028}\"", "\u{7f}\u{2028}"),
        ] {
            assert_eq!(string(text).as_deref(), Some(expected), "{text}");
        }
        let is_borrowed = |text| {
            matches!(
                parse(text),
                Ok(Value {
                    data: Data::String(Cow::Borrowed(_)),
                    ..
                })
            )
        };
        assert!(is_borrowed(r#""plain""#) && !is_borrowed(r#""\n""#));
    }

    #[test]
    fn numbers_are_read_as_asked() {
        for (text, usize, i64, f64) in [
            ("0", Some(0), Some(0), Some(0.0)),
            ("-1", None, Some(-1), Some(-1.0)),
            ("1.5", None, None, Some(1.5)),
            ("1E+2", None, None, Some(100.0)),
            ("-0.25e-1", None, None, Some(-0.025)),
            (
                "9223372036854775808",
                Some(1 << 63),
                None,
                Some(9_223_372_036_854_775_808.0),
            ),
            ("1e400", None, None, None),
        ] {
            let value = parse(text).expect("this is a number");
            assert_eq!(value.data, Data::Number(text));
            assert_eq!(
                (value.as_usize(), value.as_i64(), value.as_f64()),
                (usize, i64, f64),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_ends() {
        let value = "expected a value";
        let list = "expected `,` or `]`";
        let object = "expected `,` or `}`";
        let key = "expected a key in double quotes";
        let end = "expected the end of the file";
        let digit = "expected a digit";
        let quote = "expected `\"` before the end of the line";
        let control = "a control character must be escaped, such as `\\t`";
        let escape =
            r#"unknown escape: use `\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t` or `\u0000`"#;
        let hex = "expected four hexadecimal digits";
        let half = "half of a surrogate pair: both must be there, such as `\\ud83d\\ude00`";
        for (text, at, message) in [
            ("", "1:1", value),
            (" \n ", "2:2", value),
            ("\u{feff}1", "1:1", value),
            ("\u{a0}1", "1:1", value),
            ("\u{c}1", "1:1", value),
            ("nul", "1:1", value),
            ("True", "1:1", value),
            ("NaN", "1:1", value),
            ("'a'", "1:1", value),
            ("// a\n1", "1:1", value),
            ("nulll", "1:5", end),
            ("1 2", "1:3", end),
            ("{}}", "1:3", end),
            ("[1] // a", "1:5", end),
            ("[", "1:2", value),
            ("[1", "1:3", list),
            ("[1,", "1:4", value),
            ("[1,]", "1:4", value),
            ("[,1]", "1:2", value),
            ("[1 2]", "1:4", list),
            ("[1}", "1:3", list),
            ("{", "1:2", key),
            ("{]", "1:2", key),
            ("{a: 1}", "1:2", key),
            ("{1: 1}", "1:2", key),
            ("{\"a\"", "1:5", "expected `:`"),
            ("{\"a\" 1}", "1:6", "expected `:`"),
            ("{\"a\":}", "1:6", value),
            ("{\"a\": 1", "1:8", object),
            ("{\"a\": 1]", "1:8", object),
            ("{\n  \"a\": 1\n  \"b\": 2\n}", "3:3", object),
            ("{\n  \"a\": 1,\n}", "3:1", key),
            ("{\"a\": 1,, \"b\": 2}", "1:9", key),
            ("01", "1:2", end),
            ("-", "1:2", digit),
            ("-a", "1:2", digit),
            ("+1", "1:1", value),
            (".5", "1:1", value),
            ("1.", "1:3", digit),
            ("1.e5", "1:3", digit),
            ("1e", "1:3", digit),
            ("1e+-1", "1:4", digit),
            ("0x10", "1:2", end),
            ("1_000", "1:2", end),
            ("\"", "1:2", quote),
            ("\"ab\n\"", "1:4", quote),
            ("\"ab\r\n\"", "1:4", quote),
            ("\"ä\t\"", "1:3", control),
            ("\"\0\"", "1:2", control),
            ("\"\u{1f}\"", "1:2", control),
            (r#""ä\'""#, "1:3", escape),
            (r#""\x41""#, "1:2", escape),
            (r#""\U0041""#, "1:2", escape),
            (r#""\"#, "1:2", escape),
            (r#""\u""#, "1:4", hex),
            (r#""\u123""#, "1:4", hex),
            (r#""\u+123""#, "1:4", hex),
            (r#""\u00ä""#, "1:4", hex),
            (r#""\u000ä""#, "1:4", hex),
            (r#""\ud83d\u""#, "1:10", hex),
            (r#""\ud83d""#, "1:2", half),
            (r#""\ud83dx""#, "1:2", half),
            (r#""\ud83d\n""#, "1:2", half),
            (r#""\ud83d\ud83d""#, "1:2", half),
            (r#""\ud83d\u0041""#, "1:2", half),
            (r#""\ude00\ud83d""#, "1:2", half),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(
                (error.at.to_string().as_str(), error.message),
                (at, message),
                "{text:?}"
            );
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested =
            |open: &str, close: &str, depth| open.repeat(depth) + "1" + &close.repeat(depth);
        assert!(parse(&nested("[", "]", 128)).is_ok());
        assert!(parse(&nested("{\"a\":", "}", 128)).is_ok());
        let error = parse(&nested("[", "]", 100_000)).expect_err("too deep");
        assert_eq!(
            (error.at.column, error.message),
            (129, "nested too deep: 128 levels are possible")
        );
        // Only what is open counts.
        assert!(parse(&format!("[{}1]", "[[]],".repeat(1000))).is_ok());
    }

    /// Every way to damage one character of a text that has everything: what is accepted, and what
    /// is read, is the same as in serde_json.
    #[test]
    fn another_reader_agrees() {
        let text = "{\"aé\" : [1, -20.5e+3 ,\"\\u00e9\\\"\\ud83d\\ude00\",\n{}\t,[]], \"b\":{\"a\":null,\"b\":true,\"c\" :false,\"b\":0}}";
        assert_same(text);
        let replacements = "{}[]:,\"'\\/ \n\t\r\0\u{1f}\u{7f}\u{feff}+-.019eEabdfnrtuxé😀";
        for (index, damaged) in text.char_indices() {
            let (before, after) = (&text[..index], &text[index + damaged.len_utf8()..]);
            assert_same(before);
            assert_same(&format!("{before}{after}"));
            for c in replacements.chars() {
                assert_same(&format!("{before}{c}{after}"));
                assert_same(&format!("{before}{c}{damaged}{after}"));
            }
        }
    }

    #[test]
    fn another_reader_agrees_on_tables() {
        assert_same(include_str!("../tests/expand/geosearch.json"));
        assert_same(include_str!("../tests/expand/stream_reply.json"));
    }

    fn assert_same(text: &str) {
        match (parse(text), serde_json::from_str(text)) {
            (Ok(ours), Ok(theirs)) => assert!(is_same(&ours, &theirs), "{text:?}: {ours:?}"),
            (Err(_), Err(_)) => {}
            (ours, theirs) => panic!("{text:?}: {ours:?}, {theirs:?}"),
        }
    }

    /// Of doubled keys they keep the last one.
    fn is_same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
        use serde_json::Value as Theirs;
        match (&ours.data, theirs) {
            (Data::Null, Theirs::Null) => true,
            (Data::Bool(ours), Theirs::Bool(theirs)) => ours == theirs,
            // It rounds the last digit in its own way.
            (Data::Number(_), Theirs::Number(theirs)) => {
                let both = ours.as_f64().zip(theirs.as_f64());
                both.is_some_and(|(ours, theirs)| (ours - theirs).abs() <= 1e-15 * ours.abs())
            }
            (Data::String(ours), Theirs::String(theirs)) => ours == theirs,
            (Data::List(ours), Theirs::Array(theirs)) => {
                ours.len() == theirs.len()
                    && ours
                        .iter()
                        .zip(theirs)
                        .all(|(ours, theirs)| is_same(ours, theirs))
            }
            (Data::Object(ours), Theirs::Object(theirs)) => {
                let last = |key: &str| ours.iter().rfind(|member| member.key == key);
                ours.iter().all(|member| theirs.contains_key(&*member.key))
                    && theirs.iter().all(|(key, theirs)| {
                        last(key).is_some_and(|ours| is_same(&ours.value, theirs))
                    })
            }
            _ => false,
        }
    }
}
