//! What belongs to a connection: its user, its name, its protocol.

use redis_client::prelude::*;

use crate::each_server::{Failure, for_each_server, for_each_server_with};

#[test]
fn a_password_is_needed() {
    for_each_server_with(
        |server| server.password("s3cret päss%"),
        async |client, place| {
            // The URL has the password.
            assert_eq!(client.ping().await?, "PONG");

            let without = Config::new()
                .port(place.server.port())
                .protocol(place.protocol);
            // In RESP2 nothing is said on connecting that would need it.
            let error = match without.clone().connect().await {
                Ok(client) => client.get("key").await.expect_err("a password is needed"),
                Err(error) => error,
            };
            assert_eq!(
                (error.kind(), error.code()),
                (ErrorKind::Authentication, Some("NOAUTH")),
                "{error}"
            );

            let error = without
                .clone()
                .password("wrong")
                .connect()
                .await
                .expect_err("the password is wrong");
            assert_eq!(
                (error.kind(), error.code()),
                (ErrorKind::Authentication, Some("WRONGPASS")),
                "{error}"
            );
            assert!(
                !format!("{error} {error:?}").contains("wrong\""),
                "{error:?}"
            );

            let client = without.clone().password("s3cret päss%").connect().await?;
            assert_eq!(client.acl_whoami().await?, "default");
            let client = without
                .username("default")
                .password("s3cret päss%")
                .connect()
                .await?;
            assert_eq!(client.acl_whoami().await?, "default");
            Ok(())
        },
    );
}

#[test]
fn a_password_that_is_set_later() {
    for_each_server(async |client, place| {
        client.config_set("requirepass", "new").await?;
        let other = place.config().password("new").connect().await?;
        // A connection that is there stays logged in; one that is not asks for the password.
        assert_eq!(client.ping().await?, "PONG");
        let error = client.auth("old").await.expect_err("the password is wrong");
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Authentication, Some("WRONGPASS"))
        );
        assert_eq!(client.auth("new").await?, "OK");
        other.config_set("requirepass", "").await?;
        Ok(())
    });
}

#[test]
fn a_user_with_rights() {
    for_each_server(async |client, place| {
        client
            .acl_setuser(
                "app",
                [
                    "on",
                    ">päss/w:rd@",
                    "~app:*",
                    "+get",
                    "+set",
                    "+acl|whoami",
                    "+client|list",
                ],
            )
            .await?;
        let by_builder = place
            .config()
            .username("app")
            .password("päss/w:rd@")
            .connect()
            .await?;
        let port = place.server.port();
        let protocol = if place.protocol == Protocol::Resp2 {
            2
        } else {
            3
        };
        let url = format!("redis://app:p%C3%A4ss%2Fw%3Ard%40@127.0.0.1:{port}?protocol={protocol}");
        let by_url = Connection::connect(&url).await?;
        let by_provider = place.config().credential_provider(|| async {
            Ok((Some("app".to_owned()), "päss/w:rd@".to_owned()))
        });
        let by_provider = by_provider.connect().await?;
        for app in [by_builder, by_url, by_provider] {
            assert_eq!(app.acl_whoami().await?, "app");
            app.set("app:key", "value").await?;
            for error in [
                app.set("other", "value")
                    .await
                    .map(drop)
                    .expect_err("another key"),
                app.incr("app:key")
                    .await
                    .map(drop)
                    .expect_err("another command"),
            ] {
                assert_eq!(
                    (error.code(), error.kind()),
                    (Some("NOPERM"), ErrorKind::Server),
                    "{error}"
                );
            }
        }
        let error = place
            .config()
            .username("nobody")
            .password("x")
            .connect()
            .await
            .expect_err("there is no such user");
        assert_eq!(error.code(), Some("WRONGPASS"), "{error}");
        Ok(())
    });
}

#[test]
fn names() {
    for_each_server(async |client, place| {
        assert_eq!(
            client
                .client_getname()
                .await?
                .filter(|name| !name.is_empty()),
            None
        );
        assert_eq!(client.client_setname("first").await?, "OK");
        assert_eq!(client.client_getname().await?.as_deref(), Some("first"));

        let named = place.config().client_name("second").connect().await?;
        assert_eq!(named.client_getname().await?.as_deref(), Some("second"));
        let clients = client.client_list().await?;
        let mut names: Vec<_> = clients
            .iter()
            .filter_map(|client| client.text("name"))
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["first", "second"]);

        let error = place
            .config()
            .client_name("with blank")
            .connect()
            .await
            .expect_err("names have no blanks");
        assert!(error.message().contains("cannot contain spaces"), "{error}");
        Ok(())
    });
}

#[test]
fn the_protocol_is_the_one_asked_for() {
    for_each_server(async |client, place| {
        let expected = if place.protocol == Protocol::Resp2 {
            2
        } else {
            3
        };
        check_protocol(client, expected).await?;
        assert_eq!(client.hello().protover(expected).await?.proto, expected);
        let hello = client.hello().await?;
        assert_eq!(
            (hello.role.as_str(), hello.mode.as_str()),
            ("master", "standalone")
        );
        assert_eq!(hello.id, client.client_id().await?);

        let url = format!("redis://127.0.0.1:{}", place.server.port());
        check_protocol(&Connection::connect(&url).await?, 3).await?;
        check_protocol(&Connection::connect(&(url + "?protocol=2")).await?, 2).await?;
        Ok(())
    });
}

/// What the server pushes between replies is no reply.
#[test]
fn pushes_between_replies() {
    for_each_server(async |client, place| {
        if place.protocol == Protocol::Resp2 {
            return Ok(());
        }
        let other = place.connect().await?;
        client.client_tracking(OnOff::On).bcast().await?;
        for i in 0..1_000 {
            let (unique, key) = (i.to_string(), format!("key {}", i % 7));
            let (set, echoed, value) = tokio::join!(
                other.set(&key, i),
                client.echo(&unique),
                client.get("unknown")
            );
            set?;
            assert_eq!((echoed?, value?), (unique, None));
        }
        Ok(())
    });
}

async fn check_protocol(client: &Connection, expected: i64) -> Result<(), Failure> {
    assert_eq!(client.hello().await?.proto, expected);
    let info = client.client_info().await?;
    // Redis 7.0 does not tell it here.
    let told = info
        .iter()
        .next()
        .and_then(|client| client.parse::<i64>("resp"));
    assert!(told.is_none_or(|told| told == expected), "{told:?}");
    Ok(())
}
