//! JSON as the table needs it: objects in their order, with doubled names noticed, and the line of
//! every value.

use std::fmt;

use serde_core::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text of a table, and where its lines start.
pub(crate) struct Source<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(newlines.map(|(at, _)| at + 1))
            .collect();
        Self { text, line_starts }
    }

    /// The line of a value: raw values are slices of the text, so the distance of the pointers is
    /// the offset.
    pub(crate) fn line(&self, value: &RawValue) -> usize {
        let offset = (value.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// The whole text as one value; the error holds the line.
    pub(crate) fn root(&self) -> Result<&'t RawValue, (usize, String)> {
        serde_json::from_str(self.text).map_err(|error| {
            let text = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            let what = text.strip_suffix(&place).unwrap_or(&text);
            (
                error.line(),
                format!("not JSON: {what} (column {})", error.column()),
            )
        })
    }
}

/// The members of an object in the order of the text, doubled names included.
pub(crate) struct Members<'t>(pub(crate) Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// What a value is, in words for a message.
pub(crate) fn kind_of(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// What a value is, for a message: a number is told by its digits.
pub(crate) fn found(value: &RawValue) -> &str {
    match kind_of(value) {
        "a number" => value.get(),
        kind => kind,
    }
}

/// The value as a Rust type, or nothing if it is something else.
pub(crate) fn read<'t, T: Deserialize<'t>>(value: &'t RawValue) -> Option<T> {
    serde_json::from_str(value.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_lines() {
        let source = Source::new("{\n  \"b\": 1,\n  \"a\": [],\n  \"b\": {\"x\": null}\n}");
        let root = source.root().expect("this is JSON");
        let members: Members<'_> = read(root).expect("this is an object");
        let seen: Vec<_> = members
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), source.line(value), kind_of(value)))
            .collect();
        assert_eq!(
            seen,
            [
                ("b", 2, "a number"),
                ("a", 3, "a list"),
                ("b", 4, "an object")
            ]
        );
    }

    #[test]
    fn broken_json_has_a_line() {
        let error = Source::new("{\n  \"a\": 1,\n}")
            .root()
            .expect_err("a trailing comma");
        assert_eq!(
            error,
            (3, "not JSON: key must be a string (column 1)".to_owned())
        );
    }
}
