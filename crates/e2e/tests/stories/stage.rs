//! A server and people, in a folder that vanishes.

use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;
use undertone_e2e::{Person, Server, Setup, befriend};

/// A server and a place for everybody's profiles.
pub(crate) struct Stage {
    home: TempDir,
    pub(crate) server: Server,
}

impl Stage {
    /// A plain server.
    pub(crate) fn open() -> Result<Self> {
        Self::with(|setup| setup)
    }

    /// A server that is set up in a special way.
    pub(crate) fn with(change: impl FnOnce(Setup) -> Setup) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let server = Server::with(change(Setup::new(home.path().join("server"))))?;
        Ok(Self { home, server })
    }

    /// Where everything of this story lies.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Somebody with a fresh profile.
    pub(crate) fn person(&self, name: &str) -> Result<Person> {
        Person::init(self.home(), name, self.server.address())
    }

    /// Ada and Ben, who are contacts.
    pub(crate) fn ada_and_ben(&self) -> Result<(Person, Person)> {
        let (ada, ben) = (self.person("Ada")?, self.person("Ben")?);
        befriend(&ada, &ben)?;
        Ok((ada, ben))
    }

    /// Ada, Ben and Chloe in Ada's group "Newsdesk"; all have joined.
    pub(crate) fn newsdesk(&self) -> Result<(Person, Person, Person)> {
        let (ada, ben) = self.ada_and_ben()?;
        let chloe = self.person("Chloe")?;
        befriend(&ada, &chloe)?;
        ada.ok(&["group", "create", "Newsdesk", "Ben", "Chloe"])?;
        for member in [&ben, &chloe] {
            member.ok(&["sync"])?;
            member.chat("Newsdesk")?;
        }
        ada.ok(&["sync"])?;
        Ok((ada, ben, chloe))
    }
}

/// A text field of an object.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("no {key} in {value}"))
}

/// What somebody said, as [`Person::talk`] gives it.
pub(crate) fn said(from: &str, text: &str) -> (String, String) {
    (from.to_owned(), text.to_owned())
}
