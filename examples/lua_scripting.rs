//! Lua scripts: register one, run it, run it in a transaction.

use redis_client::prelude::*;

const MULTIPLY: &str = "
    local value = redis.call('GET', KEYS[1])
    return tonumber(value) * ARGV[1]
";

/// Takes from a stock what there is, and says what has been taken from which.
const TAKE: &str = "
    local taken = {}
    for i, key in ipairs(KEYS) do
        local count = math.min(tonumber(redis.call('GET', key) or 0), tonumber(ARGV[i]))
        redis.call('DECRBY', key, count)
        taken[i] = count .. ' from ' .. key
    end
    return taken
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let pool = Pool::connect(&url).await?;

    let multiply = pool.register_script(MULTIPLY).await?;
    pool.set("example:factor", 2).await?;
    let reply = multiply.run(["example:factor"], [5]).await?;
    // A script returns what it likes, so you say what you expect …
    assert_eq!(reply.integer()?, 10);
    // … or look at it.
    assert_eq!(reply.return_value(), Value::Integer(10));

    let take = pool.register_script(TAKE).await?;
    pool.mset([("example:apples", 3), ("example:pears", 7)])
        .await?;
    let reply = take
        .run(["example:apples", "example:pears"], [5, 5])
        .await?;
    assert_eq!(
        reply.list()?,
        ["3 from example:apples", "5 from example:pears"]
    );

    // A script is sent once and then called by its digest. When the server has forgotten it, after a
    // restart say, it is sent again.
    pool.script_flush().await?;
    assert_eq!(multiply.run(["example:factor"], [6]).await?.integer()?, 12);

    // Its errors are errors of the server.
    let error = multiply.run(["example:no_such_key"], [1]).await;
    let error = error.expect_err("nil cannot be multiplied");
    assert_eq!(error.kind(), ErrorKind::Server);
    println!("{error}");

    // In a transaction, or a pipeline.
    let transaction = pool.multi().await?;
    let stored = transaction.set("example:factor", 4).await?;
    let product = multiply
        .call_on(&transaction, ["example:factor"], [5])
        .await?;
    transaction.exec().await?;
    assert_eq!(stored.await?.expect("without a condition"), "OK");
    assert_eq!(product.await?.integer()?, 20);
    Ok(())
}
