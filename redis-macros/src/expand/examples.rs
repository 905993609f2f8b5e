//! The table's examples as functions, so that tests can run them.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Context, ident, spec};

/// An expression: a slice of `Example`.
pub(crate) fn examples(context: &Context<'_>) -> TokenStream {
    let krate = &context.krate;
    let mut functions = Vec::new();
    let mut examples = Vec::new();
    for command in context
        .table
        .commands
        .iter()
        .filter(|command| !command.is_runtime)
    {
        for form in &command.forms {
            let function = ident(&format!("{}_example", form.method));
            let body: TokenStream = form.example.lines.join("\n").parse().unwrap_or_default();
            functions.push(quote! {
                #[allow(unused_variables, clippy::all)]
                fn #function<'c>(client: &'c #krate::Connection, other: &'c #krate::Connection) -> Running<'c> {
                    ::std::boxed::Box::pin(async move {
                        #body
                        ::core::result::Result::Ok(())
                    })
                }
            });
            let (name, method, own_server) = (&command.name, &form.method, form.example.own_server);
            let since = spec::since(form.example.since.as_ref().unwrap_or(&form.since));
            examples.push(quote! {
                #krate::Example {
                    command: #name,
                    method: #method,
                    since: #krate::__private::#since,
                    own_server: #own_server,
                    run: #function,
                }
            });
        }
    }
    quote! {
        {
            #[allow(unused_imports)]
            use #krate::prelude::*;
            #[allow(unused_imports)]
            use #krate::bytes::Bytes;
            #[allow(unused_imports)]
            use ::std::collections::{HashMap, HashSet};

            type Running<'c> = ::core::pin::Pin<::std::boxed::Box<
                dyn ::core::future::Future<Output = #krate::Result<()>> + ::core::marker::Send + 'c,
            >>;

            #(#functions)*

            const EXAMPLES: &[#krate::Example] = &[#(#examples),*];
            EXAMPLES
        }
    }
}
