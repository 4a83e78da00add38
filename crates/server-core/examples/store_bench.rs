//! The store and the engine against the machine's own append-and-sync limit.
//!
//! `cargo run --release -p undertone-server-core --example store_bench -- [--cells N] [--dir DIR] [--drop-caches]`
//!
//! Prints one line per measurement: cells per second, CPU-seconds per 100,000 cells, and the ratio
//! to the raw limit measured in the same run. *Store* is what makes ticks durable and findable:
//! record, checksum, write, sync, index. *Engine* is all that a server does for a PUT: it hashes
//! tag and cell, looks for the tag, sorts, builds the tick's tree, signs, and stores. Behind them: disk over payload, and the time to open the
//! folder again; with `--drop-caches` (as root, on a machine of one's own) also after the page cache
//! was dropped. Nothing here is an assertion.
#![allow(clippy::disallowed_methods, reason = "a benchmark measures the clock")]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints and may stop")]

use ed25519_dalek::SigningKey;
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Instant,
};
use undertone_server_core::{
    CellStore, Config, Engine, Files, Keys, NewTick, Put, Segments, StoredTick, Ticket,
};
use undertone_wire::{
    CELL_LEN, Cell, CellHash, CellLeaf, Head, ServerId, Tag, TagHash, TickLeaf, WriteKey,
};

const HOUR: u64 = 3_600_000;
const START: u64 = 480_000 * HOUR;
/// Cells of the store alone: its ticks are made beforehand and lie in memory.
const ALONE_MAX: u64 = 400_000;

/// A real directory with its files held open.
struct Dir {
    path: PathBuf,
    open: Mutex<HashMap<String, Arc<File>>>,
}

impl Dir {
    fn new(path: PathBuf) -> Self {
        fs::create_dir_all(&path).unwrap();
        Self { path, open: Mutex::default() }
    }

    fn file(&self, name: &str) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap();
        if let Some(file) = open.get(name) {
            return Ok(Arc::clone(file));
        }
        let file = OpenOptions::new().read(true).append(true).open(self.path.join(name))?;
        let file = Arc::new(file);
        open.insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }
}

impl Files for Dir {
    fn list(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        Ok(self.file(name)?.metadata()?.len())
    }

    fn create(&self, name: &str) -> io::Result<()> {
        self.open.lock().unwrap().remove(name);
        File::create(self.path.join(name)).map(drop)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (&*self.file(name)?).write_all(bytes)
    }

    fn overwrite(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.path.join(name))?.write_all_at(bytes, offset)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file(name)?.read_exact_at(buffer, offset)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.file(name)?.sync_data()
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.file(name)?.set_len(length)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.open.lock().unwrap().remove(name);
        fs::remove_file(self.path.join(name))
    }
}

/// SplitMix64, for cells that do not compress.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z ^ (z >> 27)
    }

    fn cell(&mut self) -> Cell {
        let mut bytes = [0; CELL_LEN];
        bytes.chunks_exact_mut(8).for_each(|word| word.copy_from_slice(&self.next().to_be_bytes()));
        Cell::from_array(bytes)
    }
}

fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

/// Runs `work` and prints what it cost per cell; gives cells per second.
fn measure(name: &str, cells: u64, limit: Option<f64>, work: impl FnOnce()) -> f64 {
    let (cpu, start) = (cpu_seconds(), Instant::now());
    work();
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let rate = cells as f64 / seconds;
    let ratio =
        limit.map_or(String::new(), |limit| format!("  {:3.0} % of raw", 100.0 * rate / limit));
    let per = cpu * 100_000.0 / cells as f64;
    println!("{name:<34} {rate:>9.0} cells/s  {per:>6.3} CPU-s/100k{ratio}");
    rate
}

fn raw(dir: &Path, cells: u64, batch: u64, noise: &mut Noise) -> f64 {
    let mut file = File::create(dir.join("raw")).unwrap();
    let bytes: Vec<u8> = (0..batch).flat_map(|_| *noise.cell().as_bytes()).collect();
    let rate = measure(&format!("raw append + fdatasync, {batch}"), cells, None, || {
        for _ in 0..cells / batch {
            file.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
        }
    });
    fs::remove_file(dir.join("raw")).unwrap();
    rate
}

fn keys() -> Keys {
    Keys::first(SigningKey::from_bytes(&[7; 32]))
}

fn open(dir: &Path, now_ms: u64) -> Engine<Segments<Dir>> {
    let store = Segments::open(Dir::new(dir.to_owned()), &keys(), [1; 32]).unwrap();
    Engine::open(store, Config::new(keys()), now_ms).unwrap()
}

fn put(server: &ServerId, number: u64, cell: &Cell) -> Put {
    let mut write = [0; 32];
    write[..8].copy_from_slice(&number.to_be_bytes());
    let write = WriteKey(write);
    Put { tag: Tag::derive(server, &write), write, cell: cell.clone(), token: Vec::new().into() }
}

/// Submits and seals `cells` in ticks of `batch`, `per_hour` in each hour of pretended time.
fn fill(engine: &Engine<Segments<Dir>>, from: u64, cells: u64, batch: u64, noise: &mut Noise) {
    let server = engine.keys().server();
    let some: Vec<_> = (0..batch).map(|_| noise.cell()).collect();
    for tick in 0..cells / batch {
        for at in 0..batch {
            let number = from + tick * batch + at;
            engine.submit(Ticket(number), put(&server, number, &some[at as usize])).unwrap();
        }
        let per_hour = 200_000 / batch;
        let now_ms = START + (from / batch + tick) * HOUR / per_hour;
        let sealed = engine.seal(now_ms);
        assert!(sealed.failure.is_none(), "{:?}", sealed.failure);
    }
}

/// Ticks of `batch` cells as an engine would make them, but for their roots, which a store takes
/// as they are.
fn prepared(cells: u64, batch: u64, noise: &mut Noise) -> Vec<(StoredTick, Vec<CellLeaf>)> {
    let Keys { signing, first, .. } = keys();
    let tick = |tick: u64| {
        let time_ms = START + tick * HOUR / (200_000 / batch);
        let mut hash = || {
            let words = [noise.next(), noise.next(), noise.next(), noise.next()];
            let mut bytes = [0; 32];
            bytes.chunks_exact_mut(8).zip(words).for_each(|(to, word)| {
                to.copy_from_slice(&word.to_be_bytes());
            });
            bytes
        };
        let (prefixes_hash, cells_root) = (hash(), hash());
        let mut leaves: Vec<_> =
            (0..batch).map(|_| CellLeaf::new(TagHash(hash()), CellHash(hash()))).collect();
        leaves.sort();
        let leaf = TickLeaf { tick, time_ms, cells: batch as u32, prefixes_hash, cells_root };
        let head = Head {
            server: first.server_id(),
            tick,
            time_ms,
            size: tick,
            root: cells_root,
            token_keys: Vec::new(),
            policy: [0; 32],
            recovered_after: None,
        };
        (StoredTick { closed: Vec::new(), leaf, head: head.sign(&signing) }, leaves)
    };
    (1..=cells / batch).map(tick).collect()
}

/// Measures the store alone.
fn store_alone(dir: &Path, cells: u64, batch: u64, limit: f64, noise: &mut Noise) {
    let ticks = prepared(cells, batch, noise);
    let cells_of_each: Vec<_> = (0..batch).map(|_| noise.cell()).collect();
    let store = Segments::open(Dir::new(dir.to_owned()), &keys(), [1; 32]).unwrap();
    measure(&format!("store alone, {batch}"), cells, Some(limit), || {
        for (stored, leaves) in &ticks {
            store.append(&NewTick { stored, leaves, cells: &cells_of_each }).unwrap();
        }
    });
    fs::remove_dir_all(dir).unwrap();
}

fn folder_bytes(dir: &Path) -> u64 {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)
}

fn main() {
    let cells: u64 = argument("--cells").map_or(400_000, |cells| cells.parse().unwrap());
    let base = PathBuf::from(argument("--dir").unwrap_or_else(|| "target/store-bench".into()));
    let _absent = fs::remove_dir_all(&base);
    fs::create_dir_all(&base).unwrap();
    let mut noise = Noise(1);

    for (batch, count) in [(1, 5_000), (10, 40_000), (100, cells), (1_000, cells)] {
        let limit = raw(&base, count, batch, &mut noise);
        let alone = count.min(ALONE_MAX);
        store_alone(&base.join(format!("alone-{batch}")), alone, batch, limit, &mut noise);
        let dir = base.join(format!("batch-{batch}"));
        let engine = open(&dir, START);
        let name = format!("engine (hashes, tree, signature), {batch}");
        measure(&name, count, Some(limit), || fill(&engine, 0, count, batch, &mut noise));
        let ratio = folder_bytes(&dir) as f64 / (count * CELL_LEN as u64) as f64;
        println!("{:<34} {ratio:>9.3} x payload on disk", "");
        if batch == 100 {
            read_back(&engine, count, &mut noise);
            drop(engine);
            reopen(&dir, count);
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}

fn read_back(engine: &Engine<Segments<Dir>>, cells: u64, noise: &mut Noise) {
    let server = engine.keys().server();
    let sample = 20_000.min(cells);
    let size = engine.newest().head.size;
    let tag = |number: u64| {
        let mut write = [0; 32];
        write[..8].copy_from_slice(&number.to_be_bytes());
        Tag::derive(&server, &WriteKey(write))
    };
    let newest: Vec<_> = (cells - sample..cells).map(tag).collect();
    measure("get, newest, with proof", sample, None, || {
        newest.iter().for_each(|tag| drop(engine.get(tag, size)));
    });
    let any: Vec<_> = (0..sample).map(|_| tag(noise.next() % cells)).collect();
    measure("get, anywhere, with proof", sample, None, || {
        any.iter().for_each(|tag| drop(engine.get(tag, size)));
    });
}

fn reopen(dir: &Path, cells: u64) {
    let start = Instant::now();
    let engine = open(dir, START);
    println!("{:<34} {:>9.3} s for {cells} cells", "open again", start.elapsed().as_secs_f64());
    drop(engine);
    if std::env::args().any(|argument| argument == "--drop-caches") {
        fs::write("/proc/sys/vm/drop_caches", "3").unwrap();
        let start = Instant::now();
        drop(open(dir, START));
        println!("{:<34} {:>9.3} s, page cache dropped", "", start.elapsed().as_secs_f64());
    }
}
