//! The server under load: throughput, latency, cost and memory, with the server as a process of
//! its own.
//!
//! ```text
//! cargo run --release -p undertone-server --example load -- [all|peak|burst|half|idle]
//!     [--seconds S] [--connections N] [--dir DIR] [--json]
//! ```
//! "Delivered" means: a PUT was answered after its sync, its digest was pushed to everybody, and
//! the reader of the pair has got the cell. All clients run on the same machine and share its
//! cores with the server; its own cost is read from `/proc/PID/stat`.

mod client;
mod idle;
mod pairs;
mod process;
mod report;

use pairs::{Load, Shape};
use process::ServerProcess;
use report::Row;
use std::{path::PathBuf, process::ExitCode, time::Duration};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What was asked for.
struct Args {
    what: String,
    seconds: u64,
    connections: usize,
    dir: PathBuf,
    json: bool,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    match runtime.block_on(run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::say(&format!("load: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == "serve").is_some() {
        return process::serve(words.next().unwrap_or_default().into()).await;
    }
    let args = parse(words)?;
    let rows = measure(&args).await?;
    report::print(&rows, args.json);
    Ok(())
}

fn parse(mut words: impl Iterator<Item = String>) -> Outcome<Args> {
    let dir = std::env::temp_dir();
    let mut args = Args { what: "all".into(), seconds: 10, connections: 5_000, dir, json: false };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--json" => args.json = true,
            "--seconds" => args.seconds = value()?.parse()?,
            "--connections" => args.connections = value()?.parse()?,
            "--dir" => args.dir = value()?.into(),
            "all" | "peak" | "burst" | "half" | "idle" => args.what = word,
            _ => return Err(format!("unknown: {word}").into()),
        }
    }
    Ok(args)
}

async fn measure(args: &Args) -> Outcome<Vec<Row>> {
    let wants = |what: &str| args.what == "all" || args.what == what;
    let seconds = Duration::from_secs(args.seconds);
    let mut rows = Vec::new();
    let mut peak_rate = None;
    if wants("peak") || wants("half") {
        let load = Load { pairs: 500, window: 1, shape: Shape::Closed };
        let row = on_a_server(args, async |server| pairs::run(server, load, seconds).await).await?;
        peak_rate = Some(row.value("delivered_per_s"));
        rows.push(row.named("500 pairs x 1 in flight"));
    }
    if let Some(rate) = peak_rate.filter(|_| wants("half")) {
        let shape = Shape::Open { per_second: rate / 2.0 };
        let load = Load { pairs: 500, window: 8, shape };
        let row = on_a_server(args, async |server| pairs::run(server, load, seconds).await).await?;
        rows.push(row.named("500 pairs at half that load"));
    }
    if wants("burst") {
        let load = Load { pairs: 50, window: 32, shape: Shape::Closed };
        let row = on_a_server(args, async |server| pairs::run(server, load, seconds).await).await?;
        rows.push(row.named("50 pairs x 32 in flight"));
    }
    if wants("idle") {
        let count = args.connections;
        let row = on_a_server(args, async |server| idle::run(server, count, seconds).await).await?;
        rows.push(row.named(&format!("{count} idle clients")));
    }
    Ok(rows)
}

/// Runs one measurement on a fresh server.
async fn on_a_server(
    args: &Args,
    measurement: impl AsyncFnOnce(&ServerProcess) -> Outcome<Row>,
) -> Outcome<Row> {
    let server = ServerProcess::start(&args.dir)?;
    let row = measurement(&server).await;
    server.stop()?;
    row
}
