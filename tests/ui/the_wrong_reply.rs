use redis_client::prelude::*;

async fn mistake(client: Connection) -> redis_client::Result<()> {
    let _: String = client.get("key").await?;
    let _: Option<String> = client.set("key", "value").await?;
    Ok(())
}

fn main() {}
