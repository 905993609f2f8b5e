//! Ways to a server, and what is said when there is none.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use redis_client::Tls;
use redis_client::prelude::*;
use redis_test_support::{Builder, ServerKind};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::each_server::{
    Failure, Outcome as TestOutcome, Place, for_each_place, for_each_server, for_each_server_with,
};

#[test]
fn unix_socket() {
    for_each_server_with(
        |server| server.unix_socket(true),
        async |client, place| {
            client.set("key", "value").await?;
            assert!(
                addr(client)
                    .await?
                    .contains(&place.server.unix_path().display().to_string())
            );
            let by_builder = Config::new()
                .unix_socket(place.server.unix_path())
                .db(2)
                .connect()
                .await?;
            by_builder.set("key", "in 2").await?;
            let by_url = format!(
                "unix://{}?db=2&client_name=unix",
                place.server.unix_path().display()
            );
            let by_url = Connection::connect(&by_url).await?;
            assert_eq!(by_url.get("key").await?.as_deref(), Some("in 2"));
            assert_eq!(by_url.client_getname().await?.as_deref(), Some("unix"));

            // It is made anew like any other.
            place.server.restart();
            assert_eq!(by_url.get("key").await?, None);
            Ok(())
        },
    );
}

#[test]
fn unix_socket_with_a_password() {
    for_each_place(
        &ServerKind::available(),
        |server| server.password("p&ss w%rd"),
        async |place| {
            let path = place.server.unix_path().display().to_string();
            let client =
                Connection::connect(&format!("unix://{path}?password=p%26ss%20w%25rd")).await?;
            assert_eq!(client.ping().await?, "PONG");
            let url = format!("unix://{path}?username=default&password=p%26ss%20w%25rd");
            let client = url
                .parse::<Config>()?
                .protocol(place.protocol)
                .connect()
                .await?;
            assert_eq!(client.ping().await?, "PONG");
            Ok(())
        },
    );
}

#[test]
fn options_of_a_url_reach_the_server() {
    for_each_server(async |_, place| {
        let port = place.server.port();
        let url = format!(
            "redis://localhost:{port}/5?client_name=from%20url&protocol=2&reply_timeout=0.8&connect_timeout=20"
        );
        let error = Connection::connect(&url)
            .await
            .expect_err("a name has no blanks");
        assert!(error.message().contains("cannot contain spaces"), "{error}");

        let client = Connection::connect(&url.replace("%20", "-")).await?;
        let info = client.client_info().await?;
        let info = info.iter().next().ok_or("there is one client")?;
        assert_eq!(
            (info.text("name"), info.text("db")),
            (Some("from-url"), Some("5"))
        );
        assert_eq!(client.hello().await?.proto, 2);
        let error = client
            .command("DEBUG SLEEP")
            .arg(1.2)
            .await
            .expect_err("it takes too long");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        Ok(())
    });
}

#[test]
fn tls_with_an_authority_of_its_own() {
    for_each_tls_place(
        |server| server.tls(true),
        async |place| {
            let config = trusting(place)?;
            for client in [
                config.clone().connect().await?,
                config.clone().host("localhost").connect().await?,
                config.clone().db(1).client_name("tls").connect().await?,
            ] {
                client.set("key", "value").await?;
                assert_eq!(client.get("key").await?.as_deref(), Some("value"));
            }
            // Both ways at once, more than any buffer holds.
            let client = config.connect().await?;
            let huge = "x".repeat(10 * 1024 * 1024);
            let (a, b) = tokio::join!(client.echo(&huge), client.echo(&huge));
            assert!(a? == huge && b? == huge);

            place.server.restart();
            assert_eq!(client.get("key").await?, None);
            Ok(())
        },
    );
}

#[test]
fn tls_by_default_trusts_no_unknown_authority() {
    for_each_tls_place(
        |server| server.tls(true),
        async |place| {
            assert!(place.server.url().starts_with("rediss://"));
            let error = place
                .config()
                .connect()
                .await
                .expect_err("nobody knows this authority");
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::Connect, Outcome::NotSent)
            );
            assert!(error.message().contains("UnknownIssuer"), "{error}");

            let url = format!("{}?protocol=3", place.server.url());
            let error = Connection::connect(&url)
                .await
                .expect_err("nobody knows this authority");
            assert_eq!(error.kind(), ErrorKind::Connect);

            let tls = Tls::new().danger_accept_any_certificate();
            assert_eq!(
                place.config().tls(tls).connect().await?.ping().await?,
                "PONG"
            );
            Ok(())
        },
    );
}

#[test]
fn tls_refuses_a_certificate_for_another_name() {
    for_each_tls_place(
        |server| server.tls(true),
        async |place| {
            let tls = || -> Result<Tls, Failure> {
                Ok(Tls::new().ca_certificate(fs::read(&place.server.certs().ca)?))
            };
            let error = place
                .config()
                .tls(tls()?.server_name("redis.example"))
                .connect()
                .await;
            let error = error.expect_err("the certificate is for localhost");
            assert_eq!(error.kind(), ErrorKind::Connect);
            assert!(
                error
                    .message()
                    .contains("not valid for name \"redis.example\""),
                "{error}"
            );

            // The name that is checked need not be that of the host.
            assert_eq!(
                place
                    .config()
                    .tls(tls()?.server_name("localhost"))
                    .connect()
                    .await?
                    .ping()
                    .await?,
                "PONG"
            );

            let error = place
                .config()
                .tls(tls()?.server_name("no name!"))
                .connect()
                .await
                .expect_err("that is no name");
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            Ok(())
        },
    );
}

#[test]
fn tls_with_a_client_certificate() {
    for_each_tls_place(
        |server| server.mutual_tls(true),
        async |place| {
            let certs = place.server.certs();
            let tls = Tls::new().ca_certificate(fs::read(&certs.ca)?);
            let with = tls
                .clone()
                .client_certificate(fs::read(&certs.client)?, fs::read(&certs.client_key)?);
            let client = place.config().tls(with.clone()).connect().await?;
            assert_eq!(client.ping().await?, "PONG");
            assert!(!format!("{with:?}").contains("PRIVATE"), "{with:?}");

            let error = match place.config().tls(tls.clone()).connect().await {
                // In RESP2 nothing is said on connecting, and in TLS 1.3 the server refuses after the handshake.
                Ok(client) => client
                    .ping()
                    .await
                    .expect_err("the server wants a certificate"),
                Err(error) => error,
            };
            assert!(error.is_disconnected(), "{error:?}");

            let wrong_key = tls
                .clone()
                .client_certificate(fs::read(&certs.client)?, fs::read(&certs.server_key)?);
            let error = place
                .config()
                .tls(wrong_key)
                .connect()
                .await
                .expect_err("it is another's key");
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            let no_key = tls.client_certificate(fs::read(&certs.client)?, "no key");
            let error = place
                .config()
                .tls(no_key)
                .connect()
                .await
                .expect_err("it is no key");
            assert!(error.message().contains("not a PEM private key"), "{error}");
            Ok(())
        },
    );
}

#[test]
fn plain_to_a_server_that_speaks_tls() {
    for_each_tls_place(
        |server| server.tls(true),
        async |place| {
            let plain = Config::new().host("127.0.0.1").port(place.server.port());
            let error = plain.connect().await.expect_err("the server speaks TLS");
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::Connect, Outcome::NotSent),
                "{error:?}"
            );
            assert!(
                error
                    .message()
                    .contains("does the server speak TLS (rediss://)"),
                "{error}"
            );
            Ok(())
        },
    );
}

#[test]
fn tls_to_a_server_that_does_not_speak_it() {
    for_each_server(async |_, place| {
        // The server waits for the rest of what it takes for a command.
        let tls = place
            .config()
            .tls(Tls::new())
            .connect_timeout(Duration::from_millis(300));
        let error = tls
            .connect()
            .await
            .expect_err("the server does not speak TLS");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Connect, Outcome::NotSent),
            "{error:?}"
        );
        Ok(())
    });
}

/// Where there is no server, or none that can be spoken to, the error says what to do.
#[tokio::test]
async fn errors_say_what_to_do() -> TestOutcome {
    let nobody = TcpListener::bind("127.0.0.1:0")?;
    let port = nobody.local_addr()?.port();
    drop(nobody);
    for url in [
        format!("redis://127.0.0.1:{port}"),
        "unix:///nonexistent/socket".to_owned(),
    ] {
        let error = Connection::connect(&url)
            .await
            .expect_err("nobody is there");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Connect, Outcome::NotSent)
        );
        let address = url.split_once("://").map_or("", |(_, address)| address);
        assert!(
            error.message().starts_with(&format!("{address}: ")),
            "{error}"
        );
        assert!(
            error
                .message()
                .ends_with("is a server running there, and does it listen on this address?"),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
    let error = Connection::connect("redis://no-such-host.invalid")
        .await
        .expect_err("there is no such host");
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(
        error.message().starts_with("no-such-host.invalid:6379: "),
        "{error}"
    );
    let error = Connection::connect("localhost:6379")
        .await
        .expect_err("that is no URL");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("redis://host:port/db"), "{error}");
    Ok(())
}

#[tokio::test]
async fn something_else_than_a_server() -> TestOutcome {
    for answer in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "220 mail.example ESMTP\r\n",
        "\0\0\0\0",
        "",
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("redis://{}?connect_timeout=20", listener.local_addr()?);
        let (connected, _) = tokio::join!(Connection::connect(&url), async {
            let (mut stream, _) = listener.accept().await?;
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        });
        let error = connected.expect_err("that is no server");
        assert!(
            matches!(error.kind(), ErrorKind::Connect | ErrorKind::Protocol),
            "{answer:?}: {error:?}"
        );
        if answer.starts_with("HTTP") {
            assert!(
                error.message().contains("no Redis or Valkey server"),
                "{error}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_server_that_does_not_answer() {
    for_each_server(async |_, place| {
        place.server.stop();
        let started = Instant::now();
        let config = place
            .config()
            .db(1)
            .connect_timeout(Duration::from_millis(200));
        let error = config.connect().await.expect_err("it is stopped");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Connect, Outcome::NotSent)
        );
        assert!(
            error.message().contains("no connection within 200ms"),
            "{error}"
        );
        assert!((200..20_000).contains(&started.elapsed().as_millis()));
        place.server.cont();
        Ok(())
    });
}

#[test]
fn the_server_refuses() {
    for_each_server_with(
        |server| server.args(["--databases", "4", "--maxclients", "10"]),
        async |client, place| {
            let config = place.config().db(4);
            let error = config
                .connect()
                .await
                .expect_err("there are databases 0 to 3");
            assert_eq!(
                (error.command(), error.code()),
                (Some("SELECT"), Some("ERR")),
                "{error}"
            );
            assert!(
                error.message().contains("DB index is out of range"),
                "{error}"
            );

            let mut clients = Vec::new();
            let error = loop {
                match place.config().db(3).connect().await {
                    Ok(client) => clients.push(client),
                    Err(error) => break error,
                }
            };
            assert!(clients.len() < 10);
            assert!(error.message().contains("max number of clients"), "{error}");
            assert_eq!(client.ping().await?, "PONG");
            Ok(())
        },
    );
}

fn for_each_tls_place(
    settings: impl Fn(Builder) -> Builder + Sync,
    test: impl AsyncFn(&Place) -> TestOutcome + Sync,
) {
    for_each_place(&ServerKind::available_with_tls(), settings, test);
}

/// The configuration for a server with TLS, with its authority.
fn trusting(place: &Place) -> Result<Config, Failure> {
    let authority = fs::read(&place.server.certs().ca)?;
    Ok(place.config().tls(Tls::new().ca_certificate(authority)))
}

async fn addr(client: &Connection) -> Result<String, Failure> {
    let info = client.client_info().await?;
    let addr = info.iter().next().and_then(|client| client.text("addr"));
    Ok(addr.unwrap_or_default().to_owned())
}
