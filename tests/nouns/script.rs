use std::time::Duration;

use redis_client::prelude::*;
use tokio::time::timeout;

use crate::each_server::{eventually, for_each_server};
use crate::what;

const COUNT: &str = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
const LIBRARY: &str = "#!lua name=counting
    redis.register_function('count', function(keys, args) return redis.call('INCRBY', keys[1], args[1]) end)
    redis.register_function{function_name = 'echo', callback = function(keys, args) return args end, flags = {'no-writes'}}";

#[test]
fn keys_and_arguments_of_all_kinds() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).connect().await?;
        let script = client.register_script("return {KEYS[1] or 'none', KEYS[2] or 'none', ARGV[1] or 'none', ARGV[2] or 'none'}").await?;
        assert_eq!(
            (script.sha().len(), script.code().starts_with("return")),
            (40, true)
        );
        let of_pool = pool.register_script(script.code()).await?;
        assert_eq!(of_pool.sha(), script.sha());
        for script in [&script, &of_pool] {
            assert_eq!(script.run([""; 0], [""; 0]).await?.list()?, ["none"; 4]);
            assert_eq!(
                script.run(["a"], [1]).await?.list()?,
                ["a", "none", "1", "none"]
            );
            assert_eq!(
                script
                    .run(vec!["a".to_owned(), "b".to_owned()], [1.5, -2.0])
                    .await?
                    .list()?,
                ["a", "b", "1.5", "-2"]
            );
            assert_eq!(
                script.run(&["ä", ""], [u64::MAX, 0]).await?.list()?,
                ["ä", "", "18446744073709551615", "0"]
            );
            let names = ["x".to_owned()];
            assert_eq!(
                script
                    .clone()
                    .run(&names, (0..2).map(|i| format!("arg {i}")))
                    .await?
                    .list()?,
                ["x", "none", "arg 0", "arg 1"]
            );
        }
        let script = client.register_script("return #KEYS + #ARGV").await?;
        assert_eq!(
            script
                .run((0..1_000).map(|i| format!("key {i}")), 0..5_000)
                .await?
                .integer()?,
            6_000
        );

        let raw = client
            .with_encoder(Raw)
            .register_script("return ARGV[1]")
            .await?;
        assert_eq!(
            raw.run([b"\xff"], [b"\x00\xfe"]).await?.native()?,
            &b"\x00\xfe"[..]
        );
        Ok(())
    });
}

#[test]
fn replies_of_all_kinds() {
    for_each_server(async |client, _| {
        for (code, expected) in [
            ("return nil", Value::Null),
            ("return 42", 42.into()),
            ("return 3.99", 3.into()),
            ("return 'text'", "text".into()),
            (
                "return redis.status_reply('FINE')",
                Value::Status("FINE".to_owned()),
            ),
            (
                "return {1, 'two', {3, {4}}}",
                Value::Array(vec![
                    1.into(),
                    "two".into(),
                    Value::Array(vec![3.into(), Value::Array(vec![4.into()])]),
                ]),
            ),
            ("return {}", Value::Array(Vec::new())),
        ] {
            let script = client.register_script(code).await?;
            assert_eq!(
                script.run([""; 0], [""; 0]).await?.return_value(),
                expected,
                "{code}"
            );
        }
        let script = client.register_script("return ARGV").await?;
        let reply = script.run([""; 0], [1, 2, 3]).await?;
        assert_eq!(reply.decode::<kind::List<kind::Integer>>()?, [1, 2, 3]);
        assert_eq!(
            reply.integer().expect_err("it is a list").kind(),
            ErrorKind::Decode
        );

        let script = client
            .register_script("return redis.error_reply('MINE is wrong')")
            .await?;
        let error = script.run([""; 0], [""; 0]).await.expect_err("an error");
        assert_eq!(
            (error.code(), error.outcome()),
            (Some("MINE"), Outcome::Rejected),
            "{error}"
        );
        let error = client
            .register_script("this is no Lua")
            .await
            .expect_err("it does not compile");
        assert_eq!(
            (error.kind(), error.command()),
            (ErrorKind::Server, Some("SCRIPT LOAD")),
            "{error}"
        );
        Ok(())
    });
}

/// By hand, by a restart, or by whatever: it is sent again.
#[test]
fn a_server_that_has_forgotten_is_told_again() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).connect().await?;
        let scripts = [
            client.register_script(COUNT).await?,
            pool.register_script(COUNT).await?,
        ];
        let libraries = [
            client.register_library(LIBRARY).await?,
            pool.register_library(LIBRARY).await?,
        ];
        assert_eq!(libraries[0].name(), "counting");
        for (i, script) in scripts.iter().enumerate() {
            client.delete(["counter"]).await?;
            assert_eq!(script.run(["counter"], [2]).await?.integer()?, 2, "{i}");
            client.script_flush().await?;
            assert_eq!(script.run(["counter"], [2]).await?.integer()?, 4, "{i}");
            // EVAL has told the server.
            assert_eq!(client.script_exists([script.sha()]).await?, [true]);
        }
        for library in &libraries {
            client.delete(["counter"]).await?;
            assert_eq!(library.call("count", ["counter"], [2]).await?.integer()?, 2);
            client.function_flush().await?;
            assert_eq!(library.call("count", ["counter"], [2]).await?.integer()?, 4);
            assert_eq!(
                library.call("echo", [""; 0], [1, 2]).await?.list()?,
                ["1", "2"]
            );
            let error = library
                .call("unknown", [""; 0], [""; 0])
                .await
                .expect_err("there is no such function");
            assert_eq!(
                (error.kind(), error.command()),
                (ErrorKind::Server, Some("FCALL")),
                "{error}"
            );
        }
        place.server.restart();
        for (i, (script, library)) in (0..).zip(scripts.iter().zip(&libraries)) {
            eventually("it is back", async || {
                client.dbsize().await.is_ok() && pool.dbsize().await.is_ok()
            })
            .await;
            assert_eq!(script.run(["counter"], [1]).await?.integer()?, 2 * i + 1);
            assert_eq!(
                library.call("count", ["counter"], [1]).await?.integer()?,
                2 * i + 2
            );
            client.script_flush().await?;
            client.function_flush().await?;
        }
        Ok(())
    });
}

#[test]
fn scripts_in_pipelines_and_transactions() {
    for_each_server(async |client, place| {
        let pool = Pool::builder(place.config()).connect().await?;
        let script = pool.register_script(COUNT).await?;
        client.script_flush().await?;

        let pipeline = pool.pipeline();
        let first = script.call_on(&pipeline, ["counter"], [1]).await?;
        let second = script.call_on(&pipeline, ["counter"], [10]).await?;
        pipeline.execute().await?;
        assert_eq!((first.await?.integer()?, second.await?.integer()?), (1, 11));

        client.script_flush().await?;
        for multi in [client.multi(), pool.multi().watch(["counter"])] {
            let transaction = multi.await?;
            let before = transaction.get("counter").decode::<kind::Integer>().await?;
            let reply = script.call_on(&transaction, ["counter"], [100]).await?;
            transaction.exec().await?;
            assert_eq!(reply.await?.integer()?, before.await? + 100);
        }
        assert_eq!(
            script.call_on(client, ["counter"], [0]).await?.integer()?,
            211
        );

        // Where keys are watched.
        let reply = pool.transaction(["counter"], async |tx| {
            let counter = script.call_on(&tx, ["counter"], [0]).await?.integer()?;
            script.call_on(&tx.queue(), ["counter"], [-counter]).await
        });
        // The script has changed the key that is watched: that is not its own affair only.
        let reply = timeout(Duration::from_secs(30), reply).await?;
        println!("{place}: {:?}", reply.as_ref().err());
        assert_eq!(
            reply
                .map(drop)
                .expect_err("INCRBY by 0 is a change as well")
                .kind(),
            ErrorKind::Transaction
        );
        Ok(())
    });
}

#[test]
fn a_script_is_killed() {
    for_each_server(async |client, place| {
        client.config_set("lua-time-limit", "5").await?;
        let pool = Pool::builder(place.config()).connect().await?;
        let forever = pool.register_script("while true do end").await?;
        let library = pool.register_library("#!lua name=forever\n redis.register_function('forever', function() while true do end end)").await?;
        for by_library in [false, true] {
            let error = client.script_kill().await.expect_err("nothing runs");
            assert_eq!(
                what(&error),
                (ErrorKind::NoRunningScript, Outcome::Rejected),
                "{error}"
            );
            let running = tokio::spawn({
                let (forever, library) = (forever.clone(), library.clone());
                async move {
                    if by_library {
                        library.call("forever", [""; 0], [""; 0]).await
                    } else {
                        forever.run([""; 0], [""; 0]).await
                    }
                }
            });
            eventually("it runs", async || {
                client
                    .ping()
                    .await
                    .is_err_and(|error| error.code() == Some("BUSY"))
            })
            .await;
            if by_library {
                client.function_kill().await?;
            } else {
                client.script_kill().await?;
            }
            let error = running.await?.expect_err("it was killed");
            assert_eq!(
                what(&error),
                (ErrorKind::ScriptKilled, Outcome::Rejected),
                "{error}"
            );
        }
        assert_eq!(pool.ping().await?, "PONG");

        // In a pipeline only the script fails.
        let pipeline = pool.pipeline();
        let before = pipeline.incr("counter").await?;
        let killed = forever.call_on(&pipeline, [""; 0], [""; 0]).await?;
        let after = pipeline.incr("counter").await?;
        let execute = tokio::spawn(pipeline.execute());
        eventually("it runs", async || {
            client
                .ping()
                .await
                .is_err_and(|error| error.code() == Some("BUSY"))
        })
        .await;
        client.script_kill().await?;
        execute.await??;
        assert_eq!(before.await?, 1);
        assert_eq!(
            killed.await.map(drop).expect_err("it was killed").kind(),
            ErrorKind::ScriptKilled
        );
        assert_eq!(after.await?, 2);
        Ok(())
    });
}
