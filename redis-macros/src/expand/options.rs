//! What the method of a command with options returns: a future with a chained method for each
//! option.

use proc_macro2::TokenStream;
use quote::quote;

use super::values::{Scope, Target, need_encoder};
use super::{Context, Method, docs, ident, kind_type, number, spec};
use crate::plan::Chained;
use crate::types::Flag;

pub(super) fn of_method(context: &Context<'_>, method: &Method<'_>) -> Option<TokenStream> {
    let name = method.options()?;
    let docs = docs::of_options(method);
    let kind = kind_type(&method.form.reply, &quote!(replies));
    let chained = method
        .plan
        .chained
        .iter()
        .map(|chained| self::chained(context, method, chained));
    Some(quote! {
        #docs
        #[must_use = "nothing is sent until this is awaited"]
        pub struct #name<'a, X: redis::Executor, R = #kind>(pub(super) redis::Call<'a, X, R>);

        impl<'a, X: redis::Executor, R> #name<'a, X, R> {
            #(#chained)*
        }

        impl<'a, X: redis::Executor, R: redis::ReplyKind<X::Encoder>> ::core::future::Future for #name<'a, X, R> {
            type Output = redis::Result<X::Output<R::Value>>;

            fn poll(
                self: ::core::pin::Pin<&mut Self>,
                context: &mut ::core::task::Context<'_>,
            ) -> ::core::task::Poll<Self::Output> {
                ::core::future::Future::poll(::core::pin::Pin::new(&mut self.get_mut().0), context)
            }
        }

        impl<'a, X: redis::Executor, R> redis::Request<'a> for #name<'a, X, R> {
            type Executor = X;
            type Kind = R;

            fn into_call(self) -> redis::Call<'a, X, R> {
                self.0
            }
        }
    })
}

fn chained(context: &Context<'_>, method: &Method<'_>, chained: &Chained<'_>) -> TokenStream {
    let Chained {
        argument,
        clears,
        parameters,
        writes,
        ..
    } = chained;
    let scope = Scope {
        table: context.table,
        target: Target::Command,
        encoder: quote!(X::Encoder),
        args: quote!(args::),
    };
    let docs = docs::of_chained(context, method, chained);
    let name = ident(&chained.name);
    let parameters = scope.parameters(parameters);
    let statements = scope.statements(writes);
    let encoder = need_encoder(writes).then(|| quote!(let encoder = self.0.encoder();));
    let clears = clears.iter().map(|range| {
        let (low, high) = (number(range.start), number(range.end - 1));
        quote!(command.clear(#low, #high);)
    });
    let flags = |adds: bool, method: &str| {
        let flags: Vec<&Flag> = argument
            .flags
            .iter()
            .filter(|change| change.adds == adds)
            .map(|change| &change.flag)
            .collect();
        let (flags_value, method) = (spec::flags(flags.iter().copied()), ident(method));
        (!flags.is_empty()).then(|| quote!(command.#method(#flags_value);))
    };
    let (added, removed) = (flags(true, "add_flags"), flags(false, "remove_flags"));
    let (returned, done) = match &argument.reply {
        None => (quote!(Self), quote!(self)),
        Some(kind) => {
            let (options, kind) = (method.options(), kind_type(kind, &quote!(replies)));
            (
                quote!(#options<'a, X, #kind>),
                quote!(#options(self.0.cast())),
            )
        }
    };
    quote! {
        #docs
        pub fn #name(mut self #(, #parameters)*) -> #returned {
            #encoder
            let command = self.0.command_mut();
            #(#clears)*
            #statements
            #added
            #removed
            #done
        }
    }
}
