//! Reply kinds: those of the runtime, and how a table combines them.

/// Where a reply kind may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rank {
    /// Anywhere, also inside of other kinds and in reply structs.
    Part,
    /// Anywhere, and its value can be a key of a `Dict` or an element of a `Set`.
    Hashable,
    /// Only as the whole reply.
    Whole,
    /// Only as the whole reply; it streams, and the variant method collects it.
    Streaming {
        suffix: &'static str,
        collected: &'static str,
    },
}

/// A reply kind of the runtime.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BuiltinKind {
    pub(crate) name: &'static str,
    /// How many parameters must and can be given; the others are `Native`.
    pub(crate) least: usize,
    pub(crate) most: usize,
    pub(crate) rank: Rank,
    /// The Rust type of the value; `{0}` and `{1}` are the values of the parameters, `N` is the
    /// encoder's type.
    pub(crate) value: &'static str,
    /// What a user reads about it.
    pub(crate) words: &'static str,
}

const fn kind(
    name: &'static str,
    (least, most): (usize, usize),
    rank: Rank,
    value: &'static str,
    words: &'static str,
) -> BuiltinKind {
    BuiltinKind {
        name,
        least,
        most,
        rank,
        value,
        words,
    }
}

pub(crate) const KINDS: &[BuiltinKind] = &[
    kind("StatusReply", (0, 0), Rank::Part, "StatusReply", "a status"),
    kind("Native", (0, 0), Rank::Hashable, "N", "a value"),
    kind(
        "Text",
        (0, 0),
        Rank::Hashable,
        "String",
        "text, whatever the encoder",
    ),
    kind(
        "Blob",
        (0, 0),
        Rank::Hashable,
        "Bytes",
        "raw bytes, whatever the encoder",
    ),
    kind("Integer", (0, 0), Rank::Hashable, "i64", "an integer"),
    kind("Float", (0, 0), Rank::Part, "f64", "a number"),
    kind("Bool", (0, 0), Rank::Hashable, "bool", "yes or no"),
    kind(
        "Value",
        (0, 0),
        Rank::Part,
        "Value",
        "any reply, as a dynamic value",
    ),
    kind(
        "ListReply",
        (0, 1),
        Rank::Streaming {
            suffix: "_aslist",
            collected: "AsList",
        },
        "ListReply<{0}>",
        "a stream of the elements, or all of them at once with `.aslist()`",
    ),
    kind(
        "SetReply",
        (0, 1),
        Rank::Streaming {
            suffix: "_asset",
            collected: "AsSet",
        },
        "SetReply<{0}>",
        "a stream of the members, or all of them at once with `.asset()`",
    ),
    kind(
        "DictReply",
        (0, 2),
        Rank::Streaming {
            suffix: "_asdict",
            collected: "AsDict",
        },
        "DictReply<{0}, {1}>",
        "a stream of the pairs, or all of them at once with `.asdict()`",
    ),
    kind(
        "ZRangeReply",
        (0, 0),
        Rank::Streaming {
            suffix: "_asdict",
            collected: "AsDict",
        },
        "ZRangeReply<N>",
        "a stream of members with their scores, or all of them at once with `.asdict()`",
    ),
    kind("List", (1, 1), Rank::Part, "Vec<{0}>", "a list"),
    kind("Set", (1, 1), Rank::Part, "HashSet<{0}>", "a set"),
    kind("Dict", (2, 2), Rank::Part, "HashMap<{0}, {1}>", "a map"),
    kind(
        "Pairs",
        (2, 2),
        Rank::Part,
        "Vec<({0}, {1})>",
        "a list of pairs, in the server's order",
    ),
    kind("Pair", (2, 2), Rank::Part, "({0}, {1})", "a pair"),
    kind(
        "BlockingPopReply",
        (0, 0),
        Rank::Whole,
        "BlockingPopReply<N>",
        "the element and the list it came from; an error of kind `Timeout` if there was none in time",
    ),
    kind(
        "OrTimeout",
        (1, 1),
        Rank::Whole,
        "{0}",
        "the value; an error of kind `Timeout` if there was none in time",
    ),
    kind(
        "InfoReply",
        (0, 0),
        Rank::Whole,
        "InfoReply",
        "the fields of the server's report",
    ),
    kind(
        "ClientListReply",
        (0, 0),
        Rank::Whole,
        "ClientListReply",
        "one record for each connection",
    ),
    kind(
        "ConfigPairReply",
        (0, 0),
        Rank::Whole,
        "ConfigPairReply",
        "parameters with their values",
    ),
    kind(
        "EvalScriptReply",
        (0, 0),
        Rank::Whole,
        "EvalScriptReply",
        "what the script returned",
    ),
    kind(
        "ScanPart",
        (1, 1),
        Rank::Whole,
        "ScanPart<{0}>",
        "the next cursor (0 at the end) and a part of the elements",
    ),
];

/// A reply kind as written in the table, `Name<Kind, …>?`, with the defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) name: KindName,
    pub(crate) parameters: Vec<Kind>,
    pub(crate) nullable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KindName {
    Builtin(&'static BuiltinKind),
    /// A struct of the table's "replies"; whether it exists is checked later.
    Struct(String),
}

impl Kind {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let kind = Self::parse_prefix(&mut rest).and_then(|kind| match rest.trim_start() {
            "" => Ok(kind),
            rest => Err(format!("`{rest}` is left over")),
        });
        kind.map_err(|problem| {
            format!("reply kind `{text}`: {problem}; write `Name`, `Name<Kind, …>` or `Kind?`")
        })
    }

    fn parse_prefix(rest: &mut &str) -> Result<Self, String> {
        *rest = rest.trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        *rest = after;
        if name.is_empty() {
            return Err("a name is missing".to_owned());
        }
        let mut parameters = Vec::new();
        if eat(rest, '<') {
            loop {
                parameters.push(Self::parse_prefix(rest)?);
                if eat(rest, '>') {
                    break;
                }
                if !eat(rest, ',') {
                    return Err("`>` is missing".to_owned());
                }
            }
        }
        let nullable = eat(rest, '?');
        let name = match KINDS.iter().find(|kind| kind.name == name) {
            Some(builtin) => KindName::Builtin(builtin),
            None => KindName::Struct(name.to_owned()),
        };
        let mut kind = Self {
            name,
            parameters,
            nullable,
        };
        kind.fill_parameters()?;
        Ok(kind)
    }

    fn fill_parameters(&mut self) -> Result<(), String> {
        let given = self.parameters.len();
        match &self.name {
            KindName::Struct(name) if given > 0 => {
                Err(format!("the struct `{name}` takes no parameters"))
            }
            KindName::Struct(_) => Ok(()),
            KindName::Builtin(builtin) if given < builtin.least || given > builtin.most => {
                let BuiltinKind {
                    name, least, most, ..
                } = builtin;
                let wanted = if least == most {
                    least.to_string()
                } else {
                    format!("{least} to {most}")
                };
                let plural = if *most == 1 { "" } else { "s" };
                Err(format!(
                    "`{name}` takes {wanted} parameter{plural}, not {given}"
                ))
            }
            KindName::Builtin(builtin) => {
                self.parameters.resize_with(builtin.most, Self::native);
                Ok(())
            }
        }
    }

    pub(crate) fn native() -> Self {
        Self::builtin("Native", Vec::new())
    }

    /// A kind of the runtime that only the generator writes may be unknown to the table: see
    /// [`Kind::collected`].
    fn builtin(name: &str, parameters: Vec<Self>) -> Self {
        let found = KINDS.iter().find(|kind| kind.name == name);
        let name = found.map_or_else(|| KindName::Struct(name.to_owned()), KindName::Builtin);
        Self {
            name,
            parameters,
            nullable: false,
        }
    }

    /// For a streaming kind: the suffix of the method that collects it, the kind that one has, and
    /// its parameters.
    pub(crate) fn collected(&self) -> Option<(&'static str, &'static str, Vec<Self>)> {
        let KindName::Builtin(builtin) = &self.name else {
            return None;
        };
        let Rank::Streaming { suffix, collected } = builtin.rank else {
            return None;
        };
        let parameters = match builtin.name {
            "ZRangeReply" => vec![Self::native(), Self::builtin("Float", Vec::new())],
            _ => self.parameters.clone(),
        };
        Some((suffix, collected, parameters))
    }

    /// The names of all table structs in it.
    pub(crate) fn structs<'k>(&'k self, names: &mut Vec<&'k str>) {
        if let KindName::Struct(name) = &self.name {
            names.push(name);
        }
        for parameter in &self.parameters {
            parameter.structs(names);
        }
    }

    /// Whether its value holds the encoder's type somewhere; `of_struct` says it for the table's
    /// structs.
    pub(crate) fn is_native(&self, of_struct: &impl Fn(&str) -> bool) -> bool {
        let here = match &self.name {
            KindName::Builtin(builtin) => {
                matches!(builtin.name, "Native" | "ZRangeReply" | "BlockingPopReply")
            }
            KindName::Struct(name) => of_struct(name),
        };
        here || self
            .parameters
            .iter()
            .any(|parameter| parameter.is_native(of_struct))
    }

    /// The Rust type of its value; `of_struct` says whether a struct of the table takes the
    /// encoder's type.
    pub(crate) fn value(&self, of_struct: &impl Fn(&str) -> bool) -> String {
        let value = match &self.name {
            KindName::Struct(name) if of_struct(name) => format!("{name}<N>"),
            KindName::Struct(name) => name.clone(),
            KindName::Builtin(builtin) => {
                let mut value = builtin.value.to_owned();
                for (index, parameter) in self.parameters.iter().enumerate() {
                    value = value.replace(&format!("{{{index}}}"), &parameter.value(of_struct));
                }
                value
            }
        };
        if self.nullable {
            format!("Option<{value}>")
        } else {
            value
        }
    }
}

/// Takes a character off the front, after white space.
fn eat(rest: &mut &str, wanted: char) -> bool {
    match rest.trim_start().strip_prefix(wanted) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        Kind::parse(text)
            .expect("a kind")
            .value(&|name| name == "Native1")
    }

    #[test]
    fn kinds_have_rust_values() {
        assert_eq!(value("Native?"), "Option<N>");
        assert_eq!(value("ListReply"), "ListReply<N>");
        assert_eq!(
            value("Pairs<Text, List<Integer?>>?"),
            "Option<Vec<(String, Vec<Option<i64>>)>>"
        );
        assert_eq!(value("Pair<Native1, Plain>"), "(Native1<N>, Plain)");
        assert_eq!(value("ScanPart< List < Native > >"), "ScanPart<Vec<N>>");
    }

    #[test]
    fn streaming_kinds_have_a_collected_variant() {
        let (suffix, kind, parameters) = Kind::parse("ZRangeReply")
            .expect("a kind")
            .collected()
            .expect("streaming");
        let parameters: Vec<_> = parameters
            .iter()
            .map(|kind| kind.value(&|_| false))
            .collect();
        assert_eq!(
            (suffix, kind, parameters.join(", ").as_str()),
            ("_asdict", "AsDict", "N, f64")
        );
        assert!(
            Kind::parse("List<Native>")
                .expect("a kind")
                .collected()
                .is_none()
        );
    }

    #[test]
    fn bad_kinds_say_what_is_wrong() {
        let problem = |text| Kind::parse(text).expect_err("not a kind");
        let shape = "write `Name`, `Name<Kind, …>` or `Kind?`";
        assert_eq!(
            problem("List<"),
            format!("reply kind `List<`: a name is missing; {shape}")
        );
        assert_eq!(
            problem("List<Text"),
            format!("reply kind `List<Text`: `>` is missing; {shape}")
        );
        assert_eq!(
            problem("Text??"),
            format!("reply kind `Text??`: `?` is left over; {shape}")
        );
        assert_eq!(
            problem("List"),
            format!("reply kind `List`: `List` takes 1 parameter, not 0; {shape}")
        );
        assert_eq!(
            problem("DictReply<Text, Text, Text>"),
            format!(
                "reply kind `DictReply<Text, Text, Text>`: `DictReply` takes 0 to 2 parameters, not 3; {shape}"
            )
        );
    }
}
