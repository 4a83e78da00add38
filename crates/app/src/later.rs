//! Verbs and flags of the interface that later releases build. They exist, so that a script that
//! uses one is told so in the promised words.

use crate::{Exit, Failure};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

/// Whatever follows.
#[derive(Args, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[command(disable_help_flag = true)]
pub struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

impl Rest {
    /// Whatever follows includes the flags that stand everywhere.
    fn wants_json(&self) -> bool {
        self.rest.iter().any(|word| word == "--json")
    }
}

macro_rules! later {
    ($($variant:ident $word:literal)*) => {
        /// A verb of a later release.
        #[derive(Subcommand, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "verb", rename_all = "kebab-case")]
        pub enum Later {
            $(
                /// Not in this release.
                #[command(hide = true)]
                $variant(Rest),
            )*
        }

        impl Later {
            fn word(&self) -> &'static str {
                match self { $(Self::$variant(_) => $word,)* }
            }

            /// Whether `--json` stands among what follows.
            pub(crate) fn wants_json(&self) -> bool {
                match self { $(Self::$variant(rest) => rest.wants_json(),)* }
            }
        }
    };
}

later! {
    Edit "edit" Delete "delete" React "react" Forward "forward" Timer "timer"
    Block "block" Unblock "unblock" Report "report" Poll "poll" Vote "vote"
    Pin "pin" Unpin "unpin" Mute "mute" Archive "archive" Mark "mark" Schedule "schedule"
    Profile "profile" Save "save" Search "search" Notes "notes" Devices "devices"
    Export "export" VerifyExport "verify-export" Backup "backup" Restore "restore"
    RecoveryPhrase "recovery-phrase" Lock "lock" Passphrase "passphrase" Erase "erase"
    Account "account" Open "open" Rpc "rpc"
}

impl Later {
    /// Why it does nothing.
    pub(crate) fn refusal(&self) -> Failure {
        not_yet(self.word())
    }
}

/// The promised words for something that a later release builds.
pub(crate) fn not_yet(what: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        "not_in_this_release",
        format!("{what} is not in this release"),
        "`undertone --help` lists what is",
    )
}
