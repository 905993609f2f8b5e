use redis_client::prelude::*;

use crate::each_server::{eventually, for_each_server};

#[test]
fn load_run_and_flush() {
    const CODE: &str = "local value = tonumber(redis.call('GET', KEYS[1])) return value * ARGV[1]";
    for_each_server(async |client, _| {
        client.set("foo", 2).await?;
        assert_eq!(
            client.eval(CODE).keys(["foo"]).args([5]).await?.integer()?,
            10
        );
        let sha = client.script_load(CODE).await?;
        assert_eq!(sha.len(), 40);
        let reply = client.evalsha(&sha).keys(["foo"]).args(["5"]).await?;
        assert_eq!(reply.return_value(), Value::Integer(10));

        assert_eq!(
            client.script_exists([&sha, &sha, "unknown"]).await?,
            [true, true, false]
        );
        assert_eq!(client.script_flush().await?, "OK");
        assert_eq!(
            client.script_exists([&sha, &sha, "unknown"]).await?,
            [false, false, false]
        );
        let error = client
            .evalsha(&sha)
            .keys(["foo"])
            .args(["5"])
            .await
            .expect_err("it is not there any more");
        assert_eq!(
            (error.code(), error.outcome()),
            (Some("NOSCRIPT"), Outcome::Rejected),
            "{error}"
        );
        Ok(())
    });
}

#[test]
fn registered_scripts() {
    for_each_server(async |client, _| {
        let script = client
            .register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
            .await?;
        assert_eq!(client.script_exists([script.sha()]).await?, [true]);
        assert_eq!(script.run(["counter"], [5]).await?.integer()?, 5);
        // A server that has forgotten it is told again.
        client.script_flush().await?;
        assert_eq!(script.run(["counter"], [5]).await?.integer()?, 10);
        Ok(())
    });
}

#[test]
fn return_types() {
    let list = |items: Vec<Value>| Value::Array(items);
    let cases = [
        ("return 'string'", Value::from("string")),
        ("return ''", Value::from("")),
        ("return 5", 5.into()),
        ("return -1.9", (-1).into()),
        ("return", Value::Null),
        ("return nil", Value::Null),
        ("return false", Value::Null),
        ("return true", 1.into()),
        ("return {ok = 'fine'}", Value::Status("fine".to_owned())),
        ("return {}", list(vec![])),
        ("return {1, 2, 3}", list(vec![1.into(), 2.into(), 3.into()])),
        ("return {1, nil, 3}", list(vec![1.into()])),
        (
            "return {1, 'text', false, {3, {4, 5}, 6, {7}}}",
            list(vec![
                1.into(),
                "text".into(),
                Value::Null,
                list(vec![
                    3.into(),
                    list(vec![4.into(), 5.into()]),
                    6.into(),
                    list(vec![7.into()]),
                ]),
            ]),
        ),
    ];
    for_each_server(async |client, _| {
        for (code, expected) in &cases {
            assert_eq!(&client.eval(code).await?.return_value(), expected, "{code}");
            let sha = client.script_load(*code).await?;
            assert_eq!(
                &client.evalsha(sha).await?.return_value(),
                expected,
                "{code}"
            );
        }
        let reply = client.eval("return {'a', 'b'}").await?;
        assert_eq!(reply.list()?, ["a", "b"]);
        assert_eq!(client.eval("return 'ä'").await?.native()?, "ä");
        let bytes = client
            .with_encoder(Raw)
            .eval("return '\\255'")
            .await?
            .native()?;
        assert_eq!(bytes, &b"\xff"[..]);
        let error = client
            .eval("return 1")
            .await?
            .list()
            .expect_err("it is no list");
        assert_eq!(error.kind(), ErrorKind::Decode);
        Ok(())
    });
}

#[test]
fn errors() {
    for_each_server(async |client, _| {
        let error = client
            .eval("return redis.error_reply('MY own error')")
            .await
            .expect_err("an error");
        assert_eq!(
            (error.code(), error.message()),
            (Some("MY"), "MY own error")
        );
        let error = client
            .eval("return {err = 'MY other error'}")
            .await
            .expect_err("an error");
        assert_eq!(
            (error.code(), error.message()),
            (Some("MY"), "MY other error")
        );
        let error = client.eval("error('thrown')").await.expect_err("an error");
        assert!(error.message().contains("thrown"), "{error}");
        let error = client.eval("this is no Lua").await.expect_err("an error");
        assert!(
            error.message().starts_with("ERR Error compiling script"),
            "{error}"
        );
        client.set("text", "value").await?;
        let error = client
            .eval("return redis.call('LPOP', KEYS[1])")
            .keys(["text"])
            .await
            .expect_err("an error");
        assert_eq!(error.code(), Some("WRONGTYPE"), "{error}");
        assert_eq!(
            (error.command(), error.kind()),
            (Some("EVAL"), ErrorKind::Server)
        );

        // An error deep in a reply is not the reply's.
        let reply = client
            .eval("return {1, redis.pcall('LPOP', KEYS[1])}")
            .keys(["text"])
            .await?
            .return_value();
        let items = reply.as_array().unwrap_or_default();
        assert!(
            matches!(&items[1], Value::Error(error) if error.starts_with("WRONGTYPE")),
            "{items:?}"
        );
        Ok(())
    });
}

/// A script gives its RESP3 types only where the connection speaks RESP3.
#[test]
fn resp3_return_types() {
    for_each_server(async |client, place| {
        let reply = client
            .eval("redis.setresp(3) return {map = {a = 1}}")
            .await?
            .return_value();
        let double = client.eval("return {double = 1.5}").await?.return_value();
        if place.protocol == Protocol::Resp3 {
            assert_eq!(reply, Value::Map(vec![("a".into(), 1.into())]));
            assert_eq!(double, Value::Double(1.5));
        } else {
            assert_eq!(reply, Value::Array(vec!["a".into(), 1.into()]));
            assert_eq!(double, Value::from("1.5"));
        }
        assert_eq!(double.as_double(), Some(1.5));
        Ok(())
    });
}

#[test]
fn functions() {
    const LIBRARY: &str = "#!lua name=calc\n redis.register_function('add', function(keys, args) return args[1] + args[2] end)";
    for_each_server(async |client, _| {
        client.function_flush().await?;
        assert_eq!(client.function_load(LIBRARY).await?, "calc");
        assert_eq!(client.fcall("add").args([2, 3]).await?.integer()?, 5);
        let error = client
            .function_load(LIBRARY)
            .await
            .expect_err("it is there already");
        assert!(error.message().contains("already exists"), "{error}");
        assert_eq!(client.function_load(LIBRARY).replace().await?, "calc");
        let libraries = client.function_list().await?;
        assert_eq!(
            (libraries.len(), libraries[0].functions[0].name.as_str()),
            (1, "add")
        );
        assert_eq!(client.function_delete("calc").await?, "OK");
        let error = client
            .fcall("add")
            .args([2, 3])
            .await
            .expect_err("it is not there any more");
        assert_eq!(error.message(), "ERR Function not found");
        Ok(())
    });
}

#[test]
fn there_is_nothing_to_kill() {
    for_each_server(async |client, _| {
        for error in [
            client.script_kill().await.expect_err("nothing runs"),
            client.function_kill().await.expect_err("nothing runs"),
        ] {
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::NoRunningScript, Outcome::Rejected),
                "{error}"
            );
            assert_eq!(error.code(), Some("NOTBUSY"));
        }
        Ok(())
    });
}

#[test]
fn a_running_script_is_killed() {
    const LIBRARY: &str =
        "#!lua name=bad\n redis.register_function('forever', function() while true do end end)";
    for_each_server(async |client, place| {
        client.config_set("lua-time-limit", "5").await?;
        client.function_load(LIBRARY).replace().await?;
        let runner = place.connect().await?;

        let script = tokio::spawn({
            let runner = runner.clone();
            async move { runner.eval("while true do end").await }
        });
        eventually("it runs", async || is_busy(client).await).await;
        assert_eq!(client.script_kill().await?, "OK");
        let error = script.await?.expect_err("it was killed");
        assert_eq!(
            (error.kind(), error.command()),
            (ErrorKind::ScriptKilled, Some("EVAL")),
            "{error}"
        );
        assert!(error.message().contains("killed by user"), "{error}");

        let function = tokio::spawn({
            let runner = runner.clone();
            async move { runner.fcall("forever").await }
        });
        eventually("it runs", async || is_busy(client).await).await;
        assert_eq!(client.function_kill().await?, "OK");
        let error = function.await?.expect_err("it was killed");
        assert_eq!(
            (error.kind(), error.command()),
            (ErrorKind::ScriptKilled, Some("FCALL")),
            "{error}"
        );

        // Both connections go on.
        assert_eq!(runner.ping().await?, "PONG");
        assert_eq!(
            client.script_kill().await.expect_err("nothing runs").kind(),
            ErrorKind::NoRunningScript
        );
        Ok(())
    });
}

/// A script that has written cannot be killed, which is an error of its own.
#[test]
fn a_script_that_has_written_is_not_killed() {
    for_each_server(async |client, place| {
        client.config_set("lua-time-limit", "5").await?;
        let error = loop {
            let runner = place.connect().await?;
            // Half a second or so: there is no other way to end it than to stop the server.
            let code = "redis.call('SET', KEYS[1], 'x') local i = 0 while i < 5e7 do i = i + 1 end return i";
            let script = tokio::spawn(async move { runner.eval(code).keys(["key"]).await });
            eventually("it runs", async || is_busy(client).await).await;
            let error = client.script_kill().await.expect_err("it has written");
            assert_eq!(script.await??.integer()?, 50_000_000);
            // It may have come to its end between the two.
            if error.kind() != ErrorKind::NoRunningScript {
                break error;
            }
        };
        assert_eq!(
            (error.code(), error.kind()),
            (Some("UNKILLABLE"), ErrorKind::Server),
            "{error}"
        );
        Ok(())
    });
}

async fn is_busy(client: &Connection) -> bool {
    client
        .ping()
        .await
        .is_err_and(|error| error.code() == Some("BUSY"))
}
