//! Text, bytes, JSON or a type of your own: what the keys and values of a client are.

use redis_client::{Arg, Blob, DecodeError, ToArg, bytes::Bytes, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: u8,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let text = Connection::connect(&url).await?;
    text.set("example:text", "Grüße").await?;
    assert_eq!(text.get("example:text").await?.as_deref(), Some("Grüße"));

    // Bytes. It is the same connection with another encoder; `config.encoder(Raw)` makes one that
    // has it from the beginning.
    let raw = text.with_encoder(Raw);
    raw.set(b"example:\xff", b"\x00\x01\xfe").await?;
    let value: Option<Bytes> = raw.get(b"example:\xff").await?;
    assert_eq!(value.as_deref(), Some(b"\x00\x01\xfe".as_slice()));

    raw.delete([b"example:\xff"]).await?;

    // What is no text is an error for a client of text, not garbage.
    raw.set("example:text", b"\xff\xff").await?;
    let error = text.get("example:text").await.expect_err("no UTF-8");
    assert_eq!(error.kind(), ErrorKind::Decode);
    println!("{error}");

    // A value as JSON, here and there.
    let ada = User {
        name: "Ada".to_owned(),
        age: 36,
    };
    text.set("example:user:1", Json(&ada)).await?;
    let user = text
        .get("example:user:1")
        .decode::<kind::Nullable<Json<User>>>()
        .await?;
    assert_eq!(user.as_ref(), Some(&ada));

    // A client all of whose values are JSON.
    let users = text.with_encoder(JsonEncoder::<User>::new());
    let bob = User {
        name: "Bob".to_owned(),
        age: 7,
    };
    users.delete(["example:users"]).await?;
    users
        .rpush("example:users", [Json(&ada), Json(&bob)])
        .await?;
    assert_eq!(users.lrange_aslist("example:users").await?, [ada, bob]);

    // An encoder of your own: for a database full of Latin-1.
    let latin1 = text.with_encoder(Latin1);
    latin1.set("example:text", "Grüße").await?;
    assert_eq!(latin1.get("example:text").await?.as_deref(), Some("Grüße"));
    assert_eq!(
        raw.get("example:text").await?.as_deref(),
        Some(b"Gr\xfc\xdfe".as_slice())
    );
    Ok(())
}

/// Text in ISO 8859-1, whose bytes are the first 256 characters of Unicode.
#[derive(Debug, Clone, Copy)]
struct Latin1;

impl Encoder for Latin1 {
    type Native = String;

    fn decode(self, data: Blob<'_>) -> Result<String, DecodeError> {
        Ok(data.as_bytes().iter().copied().map(char::from).collect())
    }
}

impl<'a> ToArg<'a, Latin1> for &'a str {
    fn to_arg(self, _: Latin1) -> Arg<'a> {
        let byte = |character| u8::try_from(character).unwrap_or(b'?');
        Arg::from(self.chars().map(byte).collect::<Vec<u8>>())
    }
}
