//! The secrets of a run, and the search for them in whatever a server holds.

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
};

/// Shorter needles would be found by chance.
const NEEDLE_LEN_MIN: usize = 5;

/// Words of fewer letters are not searched for by themselves, only inside their sentence.
const WORD_LEN_MIN: usize = 5;

/// Memory is read in pieces of this size.
const PIECE: usize = 1 << 20;

/// A secret that was found where it must not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Which secret.
    pub secret: String,
    /// Where.
    pub place: String,
}

/// Names, words and ids of a run in every form in which they might be kept: as they are, as
/// hexadecimal digits, and as Base64 at each of the three offsets in which it can stand.
#[derive(Debug, Default)]
pub struct Canaries {
    secrets: BTreeSet<String>,
    needles: Vec<(String, Vec<u8>)>,
}

impl Canaries {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A sentence or a name: the whole, and each of its longer words.
    pub fn text(&mut self, text: &str) {
        self.bytes(text, text.as_bytes());
        let letters = |word: &str| word.chars().count();
        let words = text.split(|c: char| !c.is_alphanumeric());
        for word in words.filter(|word| letters(word) >= WORD_LEN_MIN && *word != text) {
            self.bytes(word, word.as_bytes());
        }
    }

    /// An id as programs print it: a mark and hexadecimal digits. Searched for as bytes too.
    pub fn id(&mut self, printed: &str) {
        let digits = printed.trim_start_matches(|c: char| !c.is_ascii_hexdigit());
        if let Ok(bytes) = hex::decode(digits) {
            self.bytes(printed, &bytes);
        }
        self.bytes(printed, digits.as_bytes());
    }

    /// How many different secrets are searched for.
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Searches bytes.
    ///
    /// # Errors
    /// When the needles cannot be compiled.
    pub fn in_bytes(&self, place: &str, bytes: &[u8]) -> Result<Vec<Found>> {
        Ok(self.search(&self.machine()?, place, bytes))
    }

    /// Searches names and contents of all files of a folder.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn in_folder(&self, folder: &Path) -> Result<Vec<Found>> {
        let machine = self.machine()?;
        let mut found = Vec::new();
        let mut waiting = vec![folder.to_owned()];
        while let Some(path) = waiting.pop() {
            let place = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            found.extend(self.search(&machine, &place, place.as_bytes()));
            if path.is_dir() {
                for entry in fs::read_dir(&path)? {
                    waiting.push(entry?.path());
                }
            } else if path.is_file() {
                let bytes = fs::read(&path).with_context(|| place.clone())?;
                found.extend(self.search(&machine, &place, &bytes));
            }
        }
        Ok(found)
    }

    /// Searches the memory of a running process. Needs the right to read it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn in_memory(&self, pid: u32) -> Result<Vec<Found>> {
        let machine = self.machine()?;
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let overlap = self.needles.iter().map(|(_, needle)| needle.len()).max().unwrap_or(0);
        let mut found = BTreeSet::new();
        let mut piece = vec![0; PIECE + overlap];
        for (from, to, name) in maps.lines().filter_map(region) {
            let mut at = from;
            while at < to {
                let wanted = piece.len().min(usize::try_from(to - at)?);
                // Some regions (of the kernel) refuse; they hold nothing of the process.
                let Ok(read) = memory.read_at(&mut piece[..wanted], at) else { break };
                if read == 0 {
                    break;
                }
                found.extend(self.search(&machine, &format!("memory {name}"), &piece[..read]));
                at += PIECE as u64;
            }
        }
        Ok(found.into_iter().collect())
    }

    fn machine(&self) -> Result<AhoCorasick> {
        Ok(AhoCorasick::new(self.needles.iter().map(|(_, needle)| needle))?)
    }

    fn search(&self, machine: &AhoCorasick, place: &str, bytes: &[u8]) -> Vec<Found> {
        let hits: BTreeSet<usize> =
            machine.find_overlapping_iter(bytes).map(|hit| hit.pattern().as_usize()).collect();
        let secrets: BTreeSet<_> = hits.iter().map(|hit| &self.needles[*hit].0).collect();
        secrets
            .into_iter()
            .map(|secret| Found { secret: secret.clone(), place: place.to_owned() })
            .collect()
    }

    fn bytes(&mut self, secret: &str, bytes: &[u8]) {
        self.secrets.insert(secret.to_owned());
        let mut forms = vec![bytes.to_vec()];
        forms.push(hex::encode(bytes).into_bytes());
        forms.push(hex::encode_upper(bytes).into_bytes());
        for offset in 0..3 {
            let standard = base64_inside(bytes, offset);
            forms.push(standard.replace('+', "-").replace('/', "_").into_bytes());
            forms.push(standard.into_bytes());
        }
        forms.retain(|form| form.len() >= NEEDLE_LEN_MIN);
        self.needles.extend(forms.into_iter().map(|form| (secret.to_owned(), form)));
    }
}

/// The digits that depend on these bytes alone when they stand `offset` bytes into a triple.
fn base64_inside(bytes: &[u8], offset: usize) -> String {
    let mut padded = vec![0; offset];
    padded.extend(bytes);
    let digits = BASE64_STANDARD_NO_PAD.encode(&padded);
    let first = (offset * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    digits[first..last].to_owned()
}

/// Address range and name of a readable line of `/proc/PID/maps`.
fn region(line: &str) -> Option<(u64, u64, &str)> {
    let mut words = line.split_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let rights = words.next()?;
    let name = words.nth(3).unwrap_or("");
    if !rights.starts_with('r') {
        return None;
    }
    Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    fn canaries() -> Canaries {
        let mut canaries = Canaries::new();
        canaries.text("the heron flies at midnight");
        canaries.id("#00112233445566778899aabbccddeeff");
        canaries
    }

    fn finds(bytes: &[u8]) -> bool {
        !canaries().in_bytes("here", bytes).unwrap().is_empty()
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let sentence = b"the heron flies at midnight";
        assert!(finds(sentence));
        assert!(finds(hex::encode(sentence).as_bytes()));
        assert!(finds(hex::encode_upper(sentence).as_bytes()));
        for before in ["", "x", "xy", "xyz"] {
            let longer = format!("{before}the heron flies at midnight?>");
            assert!(finds(BASE64_STANDARD.encode(&longer).as_bytes()), "{before}");
            assert!(finds(BASE64_URL_SAFE_NO_PAD.encode(&longer).as_bytes()), "{before}");
        }
        assert!(finds(b"only one heron here"));
        assert!(finds(&hex::decode("00112233445566778899aabbccddeeff").unwrap()));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert!(!finds(b"an owl sat on the roof at noon"));
        assert!(!finds(&[0; 4096]));
    }

    #[test]
    fn folders_are_searched_with_their_names() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/plain"), "nothing").unwrap();
        assert_eq!(canaries().in_folder(folder.path()).unwrap(), []);
        fs::write(folder.path().join("deep/heron"), "nothing").unwrap();
        fs::write(folder.path().join("deep/file"), "at midnight").unwrap();
        let found = canaries().in_folder(folder.path()).unwrap();
        let found: Vec<_> = found.iter().map(|it| (&*it.secret, &*it.place)).collect();
        assert!(found.contains(&("heron", "deep/heron")), "{found:?}");
        assert!(found.contains(&("midnight", "deep/file")), "{found:?}");
    }

    #[test]
    fn own_memory_is_searched() {
        let mut canaries = Canaries::new();
        let secret = String::from_utf8(b"otters and 17 kingfishers".to_vec()).unwrap();
        canaries.text(&secret);
        let found = canaries.in_memory(std::process::id()).unwrap();
        assert!(found.iter().any(|it| it.secret == secret), "{found:?}");
    }
}
