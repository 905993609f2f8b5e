use redis_client::prelude::*;

async fn mistake(client: Connection) {
    let transaction = client.multi().await.unwrap();
    let nested = transaction.multi().await;
}

fn main() {}
