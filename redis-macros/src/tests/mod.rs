//! Tests on whole tables: the golden expansions, and the real table. Every rule has its tests in
//! `mistakes`.

mod mistakes;

use std::path::Path;

use syn::visit_mut::VisitMut;

use crate::expand::{self, Context};
use crate::read;

fn mistakes(file: &str, text: &str) -> Vec<String> {
    read(text, file)
        .1
        .into_iter()
        .map(|mistake| mistake.message)
        .collect()
}

/// The commands of a sound table, formatted.
fn expand(text: &str, is_runtime_crate: bool) -> String {
    let (table, mistakes) = read(text, "t.json");
    assert_eq!(mistakes, []);
    let context = Context {
        krate: quote::quote!(redis_client),
        is_runtime_crate,
        table: &table,
    };
    pretty(expand::commands(&context))
}

/// Formatted Rust, with an empty line between items.
fn pretty(tokens: proc_macro2::TokenStream) -> String {
    let mut file: syn::File = syn::parse2(tokens).expect("the output is Rust");
    DocLines.visit_file_mut(&mut file);
    let code = prettyplease::unparse(&file);
    let mut spaced = String::new();
    let mut before = "{";
    for line in code.lines() {
        let is_start = |start: &&str| line.trim_start().starts_with(start);
        let ends_item = before == "}" || before.ends_with(';') && !before.starts_with("//");
        if ends_item && ["///", "#[", "impl", "pub "].iter().any(is_start) {
            spaced.push('\n');
        }
        spaced.push_str(line);
        spaced.push('\n');
        before = line.trim_start();
    }
    spaced
}

/// Makes one doc attribute for each line of the one that is generated.
struct DocLines;

impl VisitMut for DocLines {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<syn::Attribute>) {
        let lines = |attribute: syn::Attribute| match &attribute.meta {
            syn::Meta::NameValue(syn::MetaNameValue {
                value:
                    syn::Expr::Lit(syn::ExprLit {
                        lit: syn::Lit::Str(text),
                        ..
                    }),
                ..
            }) if attribute.path().is_ident("doc") => {
                let text = text.value();
                let line = |line: &str| {
                    let has_space = line.is_empty() || line.starts_with(' ');
                    let space = if has_space { "" } else { " " };
                    let line = format!("{space}{line}");
                    syn::parse_quote!(#[doc = #line])
                };
                text.lines().map(line).collect()
            }
            _ => vec![attribute],
        };
        *attributes = std::mem::take(attributes)
            .into_iter()
            .flat_map(lines)
            .collect();
    }
}

/// Every `tests/expand/*.json` expands to the `.rs` beside it. A file that differs is written
/// first, so that the next run passes and the change is seen in the diff.
#[test]
fn golden_expansions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand");
    let mut changed = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        count += 1;
        let table = std::fs::read_to_string(&path).expect("a table");
        let expansion = expand(&table, false);
        let golden = path.with_extension("rs");
        if std::fs::read_to_string(&golden).unwrap_or_default() != expansion {
            std::fs::write(&golden, expansion).expect("the folder is writable");
            changed.push(golden.file_name().unwrap_or_default().to_owned());
        }
    }
    assert_eq!(count, 10);
    assert!(
        changed.is_empty(),
        "expansions have changed and were written: {changed:?}"
    );
}

/// In the runtime crate the examples of the documentation are compiled.
#[test]
fn examples_in_the_runtime_crate_are_compiled() {
    let table = include_str!("../../tests/expand/get.json");
    assert!(
        expand(table, true).contains("/// # async fn example(client: &redis_client::Connection")
    );
    assert!(!expand(table, false).contains("async fn example"));
}

#[test]
fn examples_become_functions() {
    let (table, _) = read(include_str!("../../tests/expand/get.json"), "get.json");
    let context = Context {
        krate: quote::quote!(redis_client),
        is_runtime_crate: false,
        table: &table,
    };
    let examples = expand::examples(&context);
    let code = pretty(quote::quote!(fn examples() -> &'static [redis_client::Example] #examples));
    assert!(code.contains("fn get_example<'c>("), "{code}");
    assert!(code.contains("client.get(\"missing\")"), "{code}");
    assert!(code.contains("run: get_example,"), "{code}");
}

/// One broken command takes nothing else with it.
#[test]
fn the_sound_part_of_a_table_is_generated() {
    let table = include_str!("../../tests/expand/bitfield.json")
        .replace("\"key\", \"type\": \"key\"", "\"key\", \"type\": \"kye\"");
    let (table, mistakes) = read(&table, "t.json");
    assert_eq!(
        (table.commands.len(), table.enums.len(), mistakes.len()),
        (0, 1, 1)
    );
    let context = Context {
        krate: quote::quote!(redis_client),
        is_runtime_crate: false,
        table: &table,
    };
    assert!(pretty(expand::commands(&context)).contains("pub enum BitfieldOverflow"));
}

/// A table that is no JSON still gives the modules, so that `use` does not fail as well.
#[test]
fn a_table_that_is_no_json_gives_empty_modules() {
    let (table, mistakes) = read("{", "t.json");
    assert_eq!(mistakes.len(), 1);
    let context = Context {
        krate: quote::quote!(redis_client),
        is_runtime_crate: false,
        table: &table,
    };
    let code = pretty(expand::commands(&context));
    assert!(
        code.contains("pub trait Commands: redis::Executor {}"),
        "{code}"
    );
}

/// Checks the real table. `TABLE=/path/to/file.json` checks another one, such as a part of it.
#[test]
fn real_table() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../commands.json");
    let path = std::env::var("TABLE").unwrap_or_else(|_| default.to_owned());
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var("TABLE").is_err(), "cannot read {path}");
        return;
    };
    let file = path.rsplit('/').next().unwrap_or(&path);
    let mistakes = mistakes(file, &text);
    assert!(
        mistakes.is_empty(),
        "{} mistakes\n{}",
        mistakes.len(),
        mistakes.join("\n")
    );
    expand(&text, true);
}
