//! The macro's argument, `$crate "path.json"`, and the file it names.

use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;

/// The argument.
pub(crate) struct Input {
    /// The path of the runtime crate.
    pub(crate) krate: TokenStream,
    /// The path as written, which is how messages name the file.
    pub(crate) path: String,
    /// Where the path is written: all messages point there.
    pub(crate) span: Span,
}

/// A message for the compiler.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) span: Span,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn into_compile_error(self) -> TokenStream {
        let Self { span, message } = self;
        quote_spanned!(span => ::core::compile_error! { #message })
    }
}

impl Input {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self, Refusal> {
        let mut krate: Vec<TokenTree> = tokens.into_iter().collect();
        let last = krate.pop();
        let span = last.as_ref().map_or_else(Span::call_site, TokenTree::span);
        let refuse = |span, message: &str| Refusal {
            span,
            message: message.to_owned(),
        };
        let literal = last
            .as_ref()
            .and_then(literal)
            .filter(|_| !krate.is_empty());
        let path = literal.and_then(|(text, span)| Some((unquote(&text)?, span)));
        let Some((path, span)) = path else {
            let expected = "expected the path of a table as a string: commands!(\"commands.json\")";
            return Err(refuse(span, expected));
        };
        if Path::new(&path).is_absolute() {
            let message = "the path must be relative to the folder of Cargo.toml: an absolute one works on one machine only";
            return Err(refuse(span, message));
        }
        Ok(Self {
            krate: krate.into_iter().collect(),
            path,
            span,
        })
    }

    /// The text of the table, and its absolute path for `include_str!`.
    pub(crate) fn read(&self) -> Result<(String, PathBuf), Refusal> {
        // At expansion, this is the crate that calls the macro.
        let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
        let path = Path::new(&root).join(&self.path);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok((text, path)),
            Err(error) => {
                let message = format!("cannot read {}: {error}", path.display());
                Err(Refusal {
                    span: self.span,
                    message,
                })
            }
        }
    }
}

/// The text of a literal and where it is written, also if a macro_rules has wrapped it into a group
/// without delimiters.
fn literal(token: &TokenTree) -> Option<(String, Span)> {
    match token {
        TokenTree::Literal(literal) => Some((literal.to_string(), literal.span())),
        TokenTree::Group(group) => {
            let mut inner = group.stream().into_iter();
            let first = inner.next().as_ref().and_then(literal);
            first.filter(|_| inner.next().is_none())
        }
        _ => None,
    }
}

/// `"text"` or `r"text"` without escapes, which no path needs.
fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('r').unwrap_or(text).trim_matches('#');
    let inner = inner.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('\\') && !inner.is_empty()).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Input, String> {
        Input::parse(text.parse().expect("tokens")).map_err(|refusal| refusal.message)
    }

    #[test]
    fn the_argument_is_a_crate_and_a_path() {
        let input = parse("crate \"a/b.json\"").expect("an argument");
        assert_eq!(
            (input.krate.to_string().as_str(), input.path.as_str()),
            ("crate", "a/b.json")
        );
        assert_eq!(
            parse("::redis_client r\"b.json\"")
                .expect("an argument")
                .path,
            "b.json"
        );
    }

    #[test]
    fn other_arguments_are_refused() {
        let expected = "expected the path of a table as a string: commands!(\"commands.json\")";
        for text in [
            "",
            "crate",
            "\"a.json\"",
            "crate 1",
            "crate \"\"",
            "crate b\"a\"",
        ] {
            assert_eq!(parse(text).err().as_deref(), Some(expected), "{text}");
        }
        let expected = "the path must be relative to the folder of Cargo.toml: an absolute one works on one machine only";
        assert_eq!(parse("crate \"/a.json\"").err().as_deref(), Some(expected));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let refusal = parse("crate \"no/such.json\"")
            .expect("an argument")
            .read()
            .expect_err("no file");
        assert!(
            refusal.message.contains("no/such.json"),
            "{}",
            refusal.message
        );
    }
}
