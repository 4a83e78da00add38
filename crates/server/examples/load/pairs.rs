//! Pairs of a writer and a reader.

use crate::{
    Outcome,
    client::{Client, Dialer, lists},
    process::{ServerProcess, own_cpu_s},
    report::Row,
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Barrier,
    task::JoinSet,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use undertone_wire::{Answer, DigestPage, Frame, Prefix, Request, Tag};

/// The part of a run that is not counted.
const WARM_UP: Duration = Duration::from_secs(2);

/// How many pairs, and how they write.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Pairs of a writer and a reader.
    pub(crate) pairs: u64,
    /// Cells of one pair that are on their way at most.
    pub(crate) window: usize,
    /// When the next is written.
    pub(crate) shape: Shape,
}

/// When a pair writes.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// As soon as there is room in the window.
    Closed,
    /// At a fixed rate of all pairs together, whatever the server does.
    Open {
        /// Cells per second.
        per_second: f64,
    },
}

/// What a run of all pairs shares.
struct Run {
    dialer: Dialer,
    load: Load,
    ready: Barrier,
    counting: AtomicBool,
    over: AtomicBool,
}

pub(crate) async fn run(server: &ServerProcess, load: Load, time: Duration) -> Outcome<Row> {
    let run = Arc::new(Run {
        dialer: Dialer::new(&server.address),
        load,
        ready: Barrier::new(load.pairs as usize + 1),
        counting: AtomicBool::new(false),
        over: AtomicBool::new(false),
    });
    let mut pairs = JoinSet::new();
    for number in 0..load.pairs {
        pairs.spawn(Pair::run(Arc::clone(&run), number));
    }
    run.ready.wait().await;
    tokio::time::sleep(WARM_UP).await;
    let (cpu, own, start) = (server.cpu_s()?, own_cpu_s()?, Instant::now());
    run.counting.store(true, Ordering::Relaxed);
    tokio::time::sleep(time).await;
    run.counting.store(false, Ordering::Relaxed);
    let (cpu, own) = (server.cpu_s()? - cpu, own_cpu_s()? - own);
    let seconds = start.elapsed().as_secs_f64();
    run.over.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    while let Some(pair) = pairs.join_next().await {
        latencies.extend(pair??);
    }
    Ok(row(latencies, seconds, cpu, own))
}

/// The figures of a run; `cpu` is the server's processor time in seconds, `own` the generator's.
fn row(mut latencies: Vec<Duration>, seconds: f64, cpu: f64, own: f64) -> Row {
    latencies.sort_unstable();
    let count = latencies.len() as f64;
    let at = |share: f64| {
        let place = (latencies.len() as f64 * share) as usize;
        latencies.get(place).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
    };
    Row::default()
        .with("delivered_per_s", count / seconds)
        .with("cpu_s_per_100k", cpu / count * 100_000.0)
        .with("server_cores", cpu / seconds)
        .with("generator_cores", own / seconds)
        .with("p50_ms", at(0.5))
        .with("p99_ms", at(0.99))
}

struct Pair {
    run: Arc<Run>,
    number: u64,
    writer: Client,
    reader: Client,
    pace: Option<Interval>,
    next: u64,
    /// Written and not listed yet.
    unlisted: Vec<(Prefix, Tag, u32)>,
    /// When each that is on its way was written.
    begun: HashMap<u32, Instant>,
    latencies: Vec<Duration>,
}

impl Pair {
    async fn run(run: Arc<Run>, number: u64) -> Outcome<Vec<Duration>> {
        let mut pair = Self {
            writer: run.dialer.connect().await?,
            reader: run.dialer.streaming().await?,
            pace: None,
            number,
            next: 0,
            unlisted: Vec::new(),
            begun: HashMap::new(),
            latencies: Vec::new(),
            run,
        };
        pair.run.ready.wait().await;
        pair.pace = pair.pace();
        if pair.pace.is_none() {
            pair.fill().await?;
        }
        while !pair.run.over.load(Ordering::Relaxed) {
            pair.step().await?;
        }
        Ok(pair.latencies)
    }

    /// Pairs write one after the other, not all in the same instant.
    fn pace(&self) -> Option<Interval> {
        let Shape::Open { per_second } = self.run.load.shape else { return None };
        let pairs = self.run.load.pairs as f64;
        let period = Duration::from_secs_f64(pairs / per_second);
        let offset = period.mul_f64(self.number as f64 / pairs);
        let mut pace = interval_at(Instant::now() + offset, period);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        Some(pace)
    }

    async fn step(&mut self) -> Outcome<()> {
        tokio::select! {
            frame = self.writer.next() => self.on_answers(frame?),
            frame = self.reader.next() => self.on_frames(frame?).await,
            () = tick(&mut self.pace) => self.fill_one().await,
        }
    }

    /// Answers to the writer: this one, and what else is there already.
    fn on_answers(&mut self, first: Frame) -> Outcome<()> {
        let mut next = Some(first);
        while let Some(frame) = next {
            on_answer(frame)?;
            next = self.writer.ready()?;
        }
        Ok(())
    }

    /// Frames for the reader, as [`Pair::on_answers`]; what follows from all of them leaves together.
    async fn on_frames(&mut self, first: Frame) -> Outcome<()> {
        let mut next = Some(first);
        while let Some(frame) = next {
            self.on_frame(frame).await?;
            next = self.reader.ready()?;
        }
        self.reader.flush().await?;
        match self.pace {
            Some(_) => Ok(()),
            None => self.fill().await,
        }
    }

    async fn on_frame(&mut self, frame: Frame) -> Outcome<()> {
        match frame {
            Frame::Push(page) => self.on_push(&page).await,
            Frame::Answer { id, answer: Answer::Found { .. } } => {
                let begun = self.begun.remove(&id).ok_or("an answer to nothing")?;
                if self.run.counting.load(Ordering::Relaxed) {
                    self.latencies.push(begun.elapsed());
                }
                Ok(())
            }
            other => Err(format!("the reader got {other:?}").into()),
        }
    }

    async fn on_push(&mut self, page: &DigestPage) -> Outcome<()> {
        for (prefix, tag, id) in std::mem::take(&mut self.unlisted) {
            match lists(page, prefix) {
                true => self.reader.feed(id, Request::Get { tag, size: 0 }).await?,
                false => self.unlisted.push((prefix, tag, id)),
            }
        }
        Ok(())
    }

    async fn fill(&mut self) -> Outcome<()> {
        while self.begun.len() < self.run.load.window {
            self.put().await?;
        }
        self.writer.flush().await
    }

    async fn fill_one(&mut self) -> Outcome<()> {
        if self.begun.len() < self.run.load.window {
            self.put().await?;
        }
        self.writer.flush().await
    }

    async fn put(&mut self) -> Outcome<()> {
        let (request, tag, prefix) = self.run.dialer.cell(self.number, self.next);
        let id = self.next as u32;
        self.next += 1;
        self.unlisted.push((prefix, tag, id));
        self.begun.insert(id, Instant::now());
        self.writer.feed(id, request).await
    }
}

async fn tick(pace: &mut Option<Interval>) {
    match pace {
        Some(pace) => drop(pace.tick().await),
        None => std::future::pending().await,
    }
}

fn on_answer(frame: Frame) -> Outcome<()> {
    match frame {
        Frame::Answer { answer: Answer::Stored(_), .. } => Ok(()),
        other => Err(format!("the writer got {other:?}").into()),
    }
}
