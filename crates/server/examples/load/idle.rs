//! Many clients that only listen: what one costs in memory, and what all cost while others write.

use crate::{
    Outcome,
    client::Dialer,
    pairs::{self, Load, Shape},
    process::ServerProcess,
    report::Row,
};
use std::time::Duration;
use tokio::task::JoinSet;

/// Clients that connect at once.
const BATCH: usize = 50;
/// Cells per second while everybody listens.
const CELLS_PER_SECOND: f64 = 1_000.0;
/// Before memory is read: everything has settled by then.
const SETTLE: Duration = Duration::from_secs(2);

pub(crate) async fn run(server: &ServerProcess, count: usize, time: Duration) -> Outcome<Row> {
    let dialer = Dialer::new(&server.address);
    drop(dialer.streaming().await?);
    tokio::time::sleep(SETTLE).await;
    let before = server.rss_kib()?;
    let mut idle = JoinSet::new();
    while idle.len() < count {
        let mut batch = JoinSet::new();
        for _ in 0..BATCH.min(count - idle.len()) {
            let dialer = dialer.clone();
            batch.spawn(async move { dialer.streaming().await });
        }
        while let Some(client) = batch.join_next().await {
            idle.spawn(client??.idle());
        }
    }
    tokio::time::sleep(SETTLE).await;
    let each = (server.rss_kib()? - before) / count as f64;
    let load = Load { pairs: 20, window: 256, shape: Shape::Open { per_second: CELLS_PER_SECOND } };
    let busy = pairs::run(server, load, time).await?;
    let after = (server.rss_kib()? - before) / count as f64;
    Ok(busy.with("kib_per_idle_connection", each).with("kib_per_connection_after_load", after))
}
