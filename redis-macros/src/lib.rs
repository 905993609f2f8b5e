//! Turns the command table of redis-client into Rust. Use it through `redis_client::commands!`.
//!
//! # Layout
//!
//! In the order in which a table becomes Rust; everything but this file works on proc_macro2, so
//! that it can be tested:
//!
//! - `input`: the macro's argument, and the file it names;
//! - `parse`: JSON (`json`) becomes the plain types of `table`, with the words of `types` and `kinds`;
//! - `check`: the rules; mistakes are collected in `errors` and reported all at once;
//! - `plan`: arguments become parameters, options and slots;
//! - `expand`: Rust; see `tests/expand` for what it looks like.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

mod check;
mod errors;
mod expand;
mod input;
mod json;
mod kinds;
mod names;
mod parse;
mod plan;
mod table;
#[cfg(test)]
mod tests;
mod types;

use errors::{Errors, Mistake};
use input::{Input, Refusal};
use table::Table;

/// `commands!($crate "commands.json")`: traits with a method for each command, and what belongs to
/// them.
#[proc_macro]
pub fn commands(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let generated = generate(input.into(), expand::commands);
    generated.unwrap_or_else(Refusal::into_compile_error).into()
}

/// `examples!($crate "commands.json")`: an expression, the slice of the table's examples as
/// functions.
#[proc_macro]
pub fn examples(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let generated = generate(input.into(), expand::examples);
    let generated = generated.unwrap_or_else(Refusal::into_compile_error);
    quote!({ #generated }).into()
}

/// The mistakes of the table as errors, and what can be generated in spite of them: otherwise every
/// command that is used somewhere would be one more error.
fn generate(
    input: TokenStream,
    expand: impl Fn(&expand::Context<'_>) -> TokenStream,
) -> Result<TokenStream, Refusal> {
    let input = Input::parse(input)?;
    let (text, path) = input.read()?;
    let (table, mistakes) = read(&text, &input.path);
    let errors = mistakes.into_iter().map(|mistake| {
        let message = mistake.message;
        quote_spanned!(input.span => ::core::compile_error! { #message })
    });
    let context = expand::Context {
        krate: input.krate.clone(),
        is_runtime_crate: std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == "redis-client"),
        table: &table,
    };
    let generated = expand(&context);
    let path = path.to_string_lossy();
    Ok(quote! {
        #(#errors)*
        // Makes the compiler look again when the table changes.
        const _: &str = ::core::include_str!(#path);
        #generated
    })
}

/// The sound part of a table, and everything wrong with the rest.
fn read(text: &str, file: &str) -> (Table, Vec<Mistake>) {
    let errors = Errors::new(file);
    let mut table = parse::table(text, &errors);
    check::table(&table, &errors);
    check::retain_sound(&mut table, &errors);
    (table, errors.finish())
}
