use redis_client::prelude::*;

async fn mistake(client: Connection) {
    let from = GeoFrom::member("Palermo").lonlat(15.0, 37.0);
    let _ = client.geosearch("sicily", from, GeoBy::radius(10, GeoUnit::Miles)).await;
}

fn main() {}
