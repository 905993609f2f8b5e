//! One trait for each group, one thin method for each form.

use proc_macro2::TokenStream;
use quote::quote;

use super::values::{Scope, Target, need_encoder};
use super::{Context, Method, builtin_kind, docs, group_trait, ident, kind_type};

pub(super) fn group(context: &Context<'_>, group: &str, methods: &[&Method<'_>]) -> TokenStream {
    let name = group_trait(group);
    let docs = docs::of_group(group, methods);
    let methods = methods.iter().map(|method| self::method(context, method));
    quote! {
        #docs
        pub trait #name: redis::Executor {
            #(#methods)*
        }

        impl<X: redis::Executor> #name for X {}
    }
}

/// The method, and the variant that collects its reply if it streams.
fn method(context: &Context<'_>, method: &Method<'_>) -> TokenStream {
    let Method { form, plan, .. } = method;
    let scope = Scope {
        table: context.table,
        target: Target::Command,
        encoder: quote!(Self::Encoder),
        args: quote!(args::),
    };
    let replies = quote!(replies);
    let docs = docs::of_method(context, method);
    let name = ident(&form.method);
    let parameters = scope.parameters(&plan.parameters);
    let statements = scope.statements(&plan.writes);
    let spec = method.spec();
    let encoder =
        need_encoder(&plan.writes).then(|| quote!(let encoder = redis::Executor::encoder(self);));
    let mutable = (!plan.writes.is_empty()).then(|| quote!(mut));
    let kind = kind_type(&form.reply, &replies);
    let (returned, call) = match method.options() {
        None => (
            quote!(redis::Call<'a, Self, #kind>),
            quote!(redis::Call::new(self, command)),
        ),
        Some(options) => (
            quote!(options::#options<'a, Self>),
            quote!(options::#options(redis::Call::new(self, command))),
        ),
    };
    let variant = form.reply.collected().map(|(suffix, collected, kinds)| {
        let docs = docs::of_variant(method, suffix);
        let variant = ident(&format!("{}{suffix}", form.method));
        let kinds: Vec<_> = kinds.iter().map(|kind| kind_type(kind, &replies)).collect();
        let kind = builtin_kind(collected, &kinds);
        let arguments = plan
            .parameters
            .iter()
            .map(|value| ident(&crate::names::parameter(&value.argument.name)));
        let call = quote!(self.#name(#(#arguments),*));
        let (returned, call) = match method.options() {
            None => (quote!(redis::Call<'a, Self, #kind>), quote!(#call.cast())),
            Some(options) => (
                quote!(options::#options<'a, Self, #kind>),
                quote!(options::#options(#call.0.cast())),
            ),
        };
        quote! {
            #docs
            fn #variant<'a>(&'a self #(, #parameters)*) -> #returned {
                #call
            }
        }
    });
    quote! {
        #docs
        fn #name<'a>(&'a self #(, #parameters)*) -> #returned {
            #encoder
            let #mutable command = redis::Command::new(&spec::#spec);
            #statements
            #call
        }

        #variant
    }
}
