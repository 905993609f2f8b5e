//! What is asked about the server, and what is set there.

use std::time::Duration;

use redis_client::prelude::*;
use redis_test_support::Fork;
use tokio::time::Instant;

use crate::each_server::{eventually, for_each_server};

#[test]
fn info_is_parsed() {
    for_each_server(async |client, place| {
        let info = client.info().await?;
        let name = match place.server.fork() {
            Fork::Redis => "redis_version",
            Fork::Valkey => "valkey_version",
        };
        assert_eq!(
            info.text(name).unwrap_or_default(),
            place.server.version().to_string()
        );
        assert_eq!(info.parse::<u32>("process_id"), Some(place.server.pid()));
        assert_eq!(info.parse::<u16>("tcp_port"), Some(place.server.port()));
        assert_eq!(info.parse::<u64>("connected_clients"), Some(1));
        assert_eq!(info.parse::<u64>("redis_version"), None);
        assert_eq!(info.text("unknown"), None);
        assert!(
            info.iter()
                .any(|(section, field, value)| (section, field, value)
                    == ("Replication", "role", "master"))
        );

        let clients = client.info().section("clients").await?;
        assert!(clients.iter().all(|(section, ..)| section == "Clients"));
        assert_eq!(clients.text("redis_version"), None);
        assert!(client.info().section("everything").await?.as_str().len() > info.as_str().len());
        Ok(())
    });
}

#[test]
fn client_list_is_parsed() {
    for_each_server(async |client, place| {
        let named = place.config().client_name("worker").db(3).connect().await?;
        let id = u64::try_from(named.client_id().await?)?;
        let clients = client.client_list().await?;
        assert_eq!(clients.len(), 2);
        let found: Vec<_> = clients
            .iter()
            .filter(|client| client.text("name") == Some("worker"))
            .collect();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].id(), found[0].parse::<u32>("db")),
            (Some(id), Some(3))
        );
        assert_eq!(found[0].text("cmd"), Some("client|id"));
        assert_eq!(found[0].text("unknown"), None);
        Ok(())
    });
}

#[test]
fn config_is_parsed_and_set() {
    for_each_server(async |client, _| {
        let level = client.config_get("loglevel").await?;
        assert_eq!(
            (level.parameter.as_str(), level.value.as_str()),
            ("loglevel", "notice")
        );
        assert_eq!(client.config_set("loglevel", "warning").await?, "OK");
        assert_eq!(client.config_get("loglevel").await?.value, "warning");
        assert_eq!(client.config_set("loglevel", "notice").await?, "OK");
        assert_eq!(client.config_resetstat().await?, "OK");

        let sizes = client.config_get("hash-max-listpack-*").await?;
        assert_eq!(sizes.pairs.len(), 2);
        assert_eq!(sizes.get("hash-max-listpack-value"), Some("64"));
        assert_eq!(sizes.get("unknown"), None);

        let error = client
            .config_set("unknown", "1")
            .await
            .expect_err("there is no such parameter");
        assert_eq!(error.command(), Some("CONFIG SET"));
        assert!(error.message().contains("Unknown option"), "{error}");
        let error = client
            .config_rewrite()
            .await
            .expect_err("it runs without a file");
        assert!(error.message().contains("without a config file"), "{error}");
        Ok(())
    });
}

/// The reply to a pattern that matches nothing has no first parameter to show.
#[test]
fn unknown_config_is_an_error() {
    for_each_server(async |client, _| {
        let error = client
            .config_get("no-such-*")
            .await
            .expect_err("there is none");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Decode, Outcome::Executed)
        );
        Ok(())
    });
}

#[test]
fn time_lastsave_and_role() {
    for_each_server(async |client, _| {
        let (seconds, microseconds) = client.time().await?;
        assert!(seconds > 1_700_000_000 && (0..1_000_000).contains(&microseconds));
        assert!((seconds - 60..=seconds).contains(&client.lastsave().await?));
        let role = client.role().await?;
        assert_eq!(
            role.as_array().and_then(|role| role[0].as_text()),
            Some("master")
        );
        Ok(())
    });
}

/// The server closes the connection instead of an answer, and that is success.
#[test]
fn shutdown() {
    for_each_server(async |client, place| {
        let other = place.config().auto_reconnect(false).connect().await?;
        assert_eq!(client.shutdown().await?, "OK");
        eventually("the server is gone", async || {
            place.connect().await.is_err()
        })
        .await;
        assert!(!client.is_connected());
        let error = other.get("key").await.expect_err("there is no server");
        assert!(error.is_disconnected(), "{error}");
        assert_eq!(error.outcome(), Outcome::NotSent);

        // The next connection finds it again.
        let started = Instant::now();
        place.server.restart();
        assert_eq!(client.ping().await?, "PONG");
        assert!(
            started.elapsed() < Duration::from_secs(15),
            "{:?}",
            started.elapsed()
        );
        Ok(())
    });
}
