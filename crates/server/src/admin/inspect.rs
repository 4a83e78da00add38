//! Looking at a folder without changing it; a server may run meanwhile.

use crate::{
    error::ServeError,
    files::StdFiles,
    folder::{is_used, log_of, require_server},
    keys,
};
use serde::Serialize;
use std::{
    fmt, fs,
    path::{Path, PathBuf},
};
use undertone_server_core::{Held, Report};

/// The server in a few numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The server's id.
    pub server: String,
    /// Whether a server runs on the folder.
    pub running: bool,
    /// Keys that have followed the first.
    pub key_successions: usize,
    /// Cells held.
    pub cells: u64,
    /// Ticks held.
    pub ticks: u64,
    /// Bytes of the store.
    pub bytes: u64,
    /// The data folder.
    pub path: PathBuf,
}

/// The state of a folder.
///
/// # Errors
/// [`ServeError`] when it holds no server or cannot be read.
pub fn status(data: &Path) -> Result<Status, ServeError> {
    let keys = load_keys(data)?;
    let held = undertone_server_core::holds(&files(data)?)?;
    let items =
        |field: &str| held.iter().find(|held| held.field == field).map_or(0, |held| held.items);
    Ok(Status {
        server: keys.first.server_id().to_string(),
        running: is_used(data)?,
        key_successions: keys.succession.len(),
        cells: items("cell"),
        ticks: items("tick"),
        bytes: held.iter().map(|held| held.bytes).sum(),
        path: data.to_owned(),
    })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "server   {}", self.server)?;
        writeln!(f, "folder   {}", self.path.display())?;
        writeln!(f, "state    {}", if self.running { "running" } else { "not running" })?;
        writeln!(f, "keys     the first and {} that followed", self.key_successions)?;
        write!(f, "store    {} cells in {} ticks, {} bytes", self.cells, self.ticks, self.bytes)
    }
}

/// Everything that the server holds on its disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holds {
    /// Field by field.
    pub fields: Vec<HeldField>,
}

/// One field of one kind of file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldField {
    /// Which files.
    pub file: String,
    /// The field's name.
    pub field: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// How many there are.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Lists everything in a folder (T19): the store's files and the few beside it.
///
/// # Errors
/// [`ServeError`] when it holds no server, or something that no server has put there.
pub fn holds(data: &Path) -> Result<Holds, ServeError> {
    require_server(data)?;
    let mut fields = beside_the_store(data)?;
    fields.extend(undertone_server_core::holds(&files(data)?)?.into_iter().map(of_store));
    fields.retain(|field| field.items > 0);
    Ok(Holds { fields })
}

fn of_store(held: Held) -> HeldField {
    let Held { file, field, meaning, items, bytes } = held;
    HeldField { file: format!("log/{file}"), field, meaning, items, bytes }
}

fn beside_the_store(data: &Path) -> Result<Vec<HeldField>, ServeError> {
    let mut fields = Vec::new();
    for entry in fs::read_dir(data).map_err(ServeError::disk(data))? {
        let entry = entry.map_err(ServeError::disk(data))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (field, meaning) = match name.as_str() {
            "log" => continue,
            "lock" => ("lock", "nothing; locked while a server runs"),
            "server.keys" => ("keys", "signing key (secret), and the public keys before it"),
            "tls.key" => ("key", "TLS key (secret)"),
            "begun" => ("mark", "that the log has begun, so that an empty one is a lost one"),
            "backup" => ("mark", "that this folder is a backup"),
            "recovered" => ("tick", "after a restore: the last tick that survived"),
            _ => return Err(ServeError::Damaged(format!("a foreign file: {name}"))),
        };
        let bytes = entry.metadata().map_err(ServeError::disk(entry.path()))?.len();
        fields.push(HeldField { file: name, field, meaning, items: 1, bytes });
    }
    fields.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(fields)
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<14} {:<11} {:>9} {:>13}  what it says", "file", "field", "items", "bytes")?;
        for HeldField { file, field, meaning, items, bytes } in &self.fields {
            write!(f, "\n{file:<14} {field:<11} {items:>9} {bytes:>13}  {meaning}")?;
        }
        Ok(())
    }
}

/// What a check of the whole folder found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Whether nothing is wrong.
    pub sound: bool,
    /// What is wrong, and where.
    pub findings: Vec<Finding>,
    /// An unfinished last tick, which was never acknowledged.
    pub unfinished: Option<String>,
    /// Hours of which the cells are held.
    pub hours: u64,
    /// Hours that have expired.
    pub hours_expired: u64,
    /// Ticks checked.
    pub ticks: u64,
    /// Cells checked.
    pub cells: u64,
    /// Number of the newest tick.
    pub newest_tick: Option<u64>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// File and place.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

/// Verifies the log of heads against the cells, and all else in the folder; changes nothing.
///
/// # Errors
/// [`ServeError`] when the folder holds no server or the disk cannot be read. Damage is no error:
/// it is in the findings.
pub fn check(data: &Path) -> Result<Checked, ServeError> {
    require_server(data)?;
    let mut report = undertone_server_core::check(&files(data)?)?;
    if let Err(error) = load_keys(data) {
        let what = error.to_string();
        report.findings.push(undertone_server_core::Finding { place: "server.keys".into(), what });
    }
    Ok(report.into())
}

impl From<Report> for Checked {
    fn from(report: Report) -> Self {
        let findings = report.findings.iter();
        let finding = |found: &undertone_server_core::Finding| Finding {
            place: found.place.clone(),
            what: found.what.clone(),
        };
        Self {
            sound: report.is_sound(),
            findings: findings.map(finding).collect(),
            unfinished: report.unfinished,
            hours: report.hours,
            hours_expired: report.hours_expired,
            ticks: report.ticks,
            cells: report.cells,
            newest_tick: report.newest.map(|head| head.tick),
        }
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { place, what } in &self.findings {
            writeln!(f, "{place}: {what}")?;
        }
        if let Some(unfinished) = &self.unfinished {
            writeln!(
                f,
                "{unfinished}: an unfinished tick, never acknowledged, cut on the next start"
            )?;
        }
        let (ticks, cells, hours) = (self.ticks, self.cells, self.hours);
        write!(f, "checked {cells} cells, {ticks} ticks, {hours} hourly files: ")?;
        match self.sound {
            true => write!(f, "sound"),
            false => write!(f, "DAMAGED in {} places; nothing was changed", self.findings.len()),
        }
    }
}

fn files(data: &Path) -> Result<StdFiles, ServeError> {
    StdFiles::existing(&log_of(data))
}

fn load_keys(data: &Path) -> Result<undertone_server_core::Keys, ServeError> {
    keys::load(data)?.ok_or_else(|| ServeError::NoServer(data.to_owned()))
}
