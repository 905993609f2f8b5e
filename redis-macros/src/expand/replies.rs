//! Reply structs of the table, and how they are decoded.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{docs, ident, kind_type};
use crate::kinds::Kind;
use crate::table::{Field, Layout, ReplyStruct, Table};

/// The structs, and their kinds.
pub(super) fn structs(table: &Table) -> (TokenStream, TokenStream) {
    let structs = table
        .replies
        .iter()
        .map(|this| of_struct(table, this))
        .collect();
    let kinds = table
        .replies
        .iter()
        .map(|this| of_kind(table, this))
        .collect();
    (structs, kinds)
}

fn of_struct(table: &Table, this: &ReplyStruct) -> TokenStream {
    let docs = docs::text(&this.doc);
    let name = ident(&this.name);
    let parameter = table.is_native(&this.name).then(|| quote!(<N>));
    let fields = this.fields.iter().map(|field| {
        let docs = docs::of_field(field);
        let (name, of) = (ident(&field.name), value_type(table, &field.reply));
        quote!(#docs pub #name: #of)
    });
    let other = (this.layout == Layout::Map).then(|| {
        quote! {
            /// Fields that this version of the library does not know.
            pub other: Vec<(String, Value)>,
        }
    });
    quote! {
        #docs
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct #name #parameter {
            #(#fields,)*
            #other
        }
    }
}

fn of_kind(table: &Table, this: &ReplyStruct) -> TokenStream {
    let name = ident(&this.name);
    let parameter = table.is_native(&this.name).then(|| quote!(<E::Native>));
    let docs = docs::text(&format!("[`{0}`](super::{0})", this.name));
    let (shapes, decode) = match this.layout {
        Layout::Array => (quote!(redis::Shape::Array), by_position(this)),
        Layout::Map => (
            quote!(redis::Shape::Map | redis::Shape::Array),
            by_name(this),
        ),
    };
    quote! {
        #docs
        #[derive(Debug)]
        pub struct #name;

        impl<E: redis::Encoder> redis::ReplyKind<E> for #name {
            type Value = replies::#name #parameter;

            fn accepts(shape: redis::Shape) -> bool {
                ::core::matches!(shape, #shapes)
            }

            fn decode(
                reply: &mut redis::Decoder<'_>,
                encoder: E,
            ) -> ::core::result::Result<Self::Value, redis::DecodeError> {
                #decode
            }
        }
    }
}

fn by_position(this: &ReplyStruct) -> TokenStream {
    let name = ident(&this.name);
    let fields = this.fields.iter().map(|field| {
        let (ident, text, kind) = (ident(&field.name), &field.key, field_kind(field));
        quote!(#ident: fields.next::<E, #kind>(#text, encoder)?)
    });
    quote! {
        let mut fields = reply.fields()?;
        let value = replies::#name { #(#fields,)* };
        fields.finish()?;
        Ok(value)
    }
}

fn by_name(this: &ReplyStruct) -> TokenStream {
    let name = ident(&this.name);
    // A prefix, for there may be fields called `key` or `entries`.
    let variables: Vec<_> = this
        .fields
        .iter()
        .map(|field| ident(&format!("field_{}", field.name)))
        .collect();
    let arms = this.fields.iter().zip(&variables).map(|(field, variable)| {
        let (key, kind) = (
            Literal::byte_string(field.key.as_bytes()),
            field_kind(field),
        );
        quote!(#key => #variable = Some(entries.value::<E, #kind>(encoder)?))
    });
    let fields = this.fields.iter().zip(&variables).map(|(field, variable)| {
        let (ident, key) = (ident(&field.name), &field.key);
        match field.reply.nullable {
            true => quote!(#ident: #variable.flatten()),
            false => quote!(#ident: #variable.ok_or_else(|| redis::DecodeError::missing(#key))?),
        }
    });
    quote! {
        #(let mut #variables = None;)*
        let mut other = Vec::new();
        let mut entries = reply.entries()?;
        while let Some(key) = entries.key()? {
            match key.as_bytes() {
                #(#arms,)*
                _ => other.push((key.to_text_lossy(), entries.value::<E, redis::kind::Value>(encoder)?)),
            }
        }
        Ok(replies::#name { #(#fields,)* other })
    }
}

fn field_kind(field: &Field) -> TokenStream {
    kind_type(&field.reply, &quote!(replies))
}

/// The Rust type of a value, whose names are in scope in the module of the structs.
fn value_type(table: &Table, kind: &Kind) -> TokenStream {
    let text = kind.value(&|name| table.is_native(name));
    text.parse().unwrap_or_default()
}
