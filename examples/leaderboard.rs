//! A web service with axum: a board of scores, as a page and as JSON.
//!
//! It tries itself and ends. With `--serve` it goes on until you stop it.

use std::net::SocketAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use redis_client::{
    Error, Pool,
    prelude::{GenericCommands, SortedSetCommands},
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const BOARD: &str = "example:leaderboard";

#[derive(Serialize)]
struct Place {
    player: String,
    points: f64,
}

#[derive(Deserialize)]
struct Score {
    player: String,
    points: f64,
}

async fn page(State(pool): State<Pool>) -> Result<Html<String>, Failure> {
    let rows: String = best(&pool)
        .await?
        .iter()
        .map(|place| format!("<tr><td>{}<td>{}", escaped(&place.player), place.points))
        .collect();
    Ok(Html(PAGE.replace("{rows}", &rows)))
}

async fn top(State(pool): State<Pool>) -> Result<Json<Vec<Place>>, Failure> {
    Ok(Json(best(&pool).await?))
}

async fn score(State(pool): State<Pool>, Form(score): Form<Score>) -> Result<Redirect, Failure> {
    pool.zincrby(BOARD, score.points, score.player).await?;
    Ok(Redirect::to("/"))
}

async fn best(pool: &Pool) -> redis_client::Result<Vec<Place>> {
    let best = pool.zrange(BOARD).start(0).stop(9).rev().await?;
    let best: Vec<(String, f64)> = best.collect().await?;
    Ok(best
        .into_iter()
        .map(|(player, points)| Place { player, points })
        .collect())
}

/// Somebody has to learn of an error of the database, but not the visitor.
struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        eprintln!("{}", self.0);
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_server, url) = redis_test_support::quickstart_url()?;
    let pool = Pool::connect(&url).await?;
    let app = Router::new()
        .route("/", get(page))
        .route("/top", get(top))
        .route("/score", post(score))
        .with_state(pool.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(axum::serve(listener, app).into_future());
    println!("http://{address}/");

    pool.delete([BOARD]).await?;
    let answer = request(address, "POST /score", "player=ada&points=7.5").await?;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    request(address, "POST /score", "player=%3Cbob%3E&points=3").await?;
    request(address, "POST /score", "player=%3Cbob%3E&points=8").await?;
    let answer = request(address, "GET /top", "").await?;
    let top = r#"[{"player":"<bob>","points":11.0},{"player":"ada","points":7.5}]"#;
    assert!(answer.ends_with(top), "{answer}");
    let answer = request(address, "GET /", "").await?;
    assert!(answer.contains("<td>&lt;bob&gt;<td>11"), "{answer}");

    if std::env::args().any(|arg| arg == "--serve") {
        serving.await??;
    }
    Ok(())
}

/// What a browser does, without the comfort.
async fn request(address: SocketAddr, what: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request = format!(
        "{what} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Players may call themselves what they like.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Leaderboard</title>
<style>
  body { font: 1.1rem system-ui, sans-serif; max-width: 26rem; margin: 3rem auto; }
  table { width: 100%; border-collapse: collapse; counter-reset: place; }
  td { padding: .4rem; border-bottom: 1px solid #ddd; }
  tr td:first-child::before { counter-increment: place; content: counter(place) ". "; color: #999; }
  td:last-child { text-align: right; }
  form { display: flex; gap: .5rem; margin-top: 1.5rem; }
  input { flex: 1; min-width: 0; padding: .4rem; }
</style>
<h1>Leaderboard</h1>
<table>{rows}</table>
<form method="post" action="/score">
  <input name="player" placeholder="Player" required>
  <input name="points" type="number" step="any" placeholder="Points" required>
  <button>Add</button>
</form>
"#;
