//! Where the passphrase comes from: a file or a prompt, never an argument.

use crate::{Exit, Failure, Global};
use std::{fs::File, io::Read, path::Path};
use zeroize::Zeroizing;

/// Longer is a mistake in the file's name.
const FILE_BYTES_MAX: u64 = 4096;

/// The passphrase of an existing profile.
pub(crate) fn ask(global: &Global) -> Result<Zeroizing<String>, Failure> {
    match &global.passphrase_file {
        Some(path) => from_file(path),
        None => checked(prompt("Passphrase: ")?),
    }
}

/// The passphrase of a new profile, typed twice.
pub(crate) fn choose(global: &Global) -> Result<Zeroizing<String>, Failure> {
    let Some(path) = &global.passphrase_file else {
        let chosen = checked(prompt("New passphrase: ")?)?;
        if prompt("Once more: ")? != chosen {
            return Err(Failure::usage(
                "the two passphrases differ",
                "nothing was made; type them again",
            ));
        }
        return Ok(chosen);
    };
    from_file(path)
}

fn prompt(text: &str) -> Result<Zeroizing<String>, Failure> {
    let typed = rpassword::prompt_password(text);
    typed.map(Zeroizing::new).map_err(|error| {
        Failure::new(
            Exit::Passphrase,
            "locked",
            format!("no passphrase could be asked for: {error}"),
            "name a file that holds it with --passphrase-file",
        )
    })
}

/// The first line, its end left off; spaces count.
fn from_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read =
        File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
    read.map_err(|error| {
        let message = format!("the passphrase file {} cannot be read: {error}", path.display());
        Failure::usage(message, "name a file whose first line is the passphrase")
    })?;
    let line = text.lines().next().unwrap_or_default();
    checked(Zeroizing::new(line.to_owned()))
}

fn checked(passphrase: Zeroizing<String>) -> Result<Zeroizing<String>, Failure> {
    if passphrase.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "empty_passphrase",
            "the passphrase is empty",
            "an empty passphrase protects nothing; choose one",
        ));
    }
    Ok(passphrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        std::fs::write(&path, bytes).unwrap();
        let global = Global { passphrase_file: Some(path), ..Global::default() };
        ask(&global).map(|text| text.to_string()).map_err(|failure| failure.code)
    }

    #[test]
    fn the_first_line_counts_with_its_spaces() {
        assert_eq!(read(b"horse battery\n").unwrap(), "horse battery");
        assert_eq!(read(b" horse \r\nmore\n").unwrap(), " horse ");
        assert_eq!(read("鍵".as_bytes()).unwrap(), "鍵");
    }

    #[test]
    fn empty_and_unreadable_are_refused() {
        assert_eq!(read(b"").unwrap_err(), "empty_passphrase");
        assert_eq!(read(b"\nhorse").unwrap_err(), "empty_passphrase");
        assert_eq!(read(b"\xff\xfe").unwrap_err(), "usage");
    }
}
