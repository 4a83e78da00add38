//! What a script is made of.

use std::fmt;
use undertone_core::io::Role;

/// Where people talk; resolved when the act is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The conversation of two with this person.
    Contact(usize),
    /// The group that was made under this number.
    Group(usize),
}

/// What a person does. People are numbers in their order of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Two people become contacts by a one-time link.
    Meet {
        /// Makes the link.
        inviter: usize,
        /// Accepts it.
        guest: usize,
    },
    /// Somebody makes a group.
    Group {
        /// Who.
        who: usize,
        /// Under which number.
        group: usize,
        /// Whom to invite.
        members: Vec<usize>,
    },
    /// Somebody writes.
    Send {
        /// Who.
        who: usize,
        /// Where.
        place: Place,
        /// How many messages at once.
        count: usize,
        /// Bytes of each, at least.
        length: usize,
    },
    /// Somebody adds a contact to a group.
    Add {
        /// Who.
        who: usize,
        /// Where.
        group: usize,
        /// Whom.
        whom: usize,
    },
    /// Somebody removes a member.
    Remove {
        /// Who.
        who: usize,
        /// Where.
        group: usize,
        /// Whom.
        whom: usize,
    },
    /// Somebody leaves.
    Leave {
        /// Who.
        who: usize,
        /// What.
        group: usize,
    },
    /// Somebody gives a group another name.
    Rename {
        /// Who.
        who: usize,
        /// What.
        group: usize,
    },
    /// Somebody gives a member a role.
    Role {
        /// Who.
        who: usize,
        /// Where.
        group: usize,
        /// Whom.
        whom: usize,
        /// What.
        role: Role,
    },
    /// Somebody begins a group anew.
    Restart {
        /// Who.
        who: usize,
        /// What.
        group: usize,
    },
    /// Somebody's device is away.
    Offline {
        /// Whose.
        who: usize,
        /// For how long.
        ms: u64,
    },
    /// Somebody's device comes back early.
    Online {
        /// Whose.
        who: usize,
    },
    /// Somebody's device comes back, walks to the newest head, and is away again before it has read
    /// anything.
    Glimpse {
        /// Whose.
        who: usize,
        /// For how long it is away then.
        ms: u64,
    },
    /// Nobody does anything.
    Wait {
        /// For how long.
        ms: u64,
    },
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A client dies between two outputs and starts again.
    Crash {
        /// Whose.
        who: usize,
        /// After how many further outputs.
        after: u32,
        /// How long it is down.
        down_ms: u64,
    },
    /// A client's disk takes nothing: the driver stops, and starts again later.
    ClientDisk {
        /// Whose.
        who: usize,
        /// For how long.
        ms: u64,
    },
    /// The server dies; what was not sealed is gone, and every connection.
    ServerCrash {
        /// How long it is down.
        down_ms: u64,
    },
    /// The server's next write fails, and an operator starts it again.
    ServerDisk {
        /// How.
        fault: DiskFault,
        /// How long until then.
        down_ms: u64,
    },
    /// A connection is cut. What was under way to the server may still arrive, late.
    Cut {
        /// Whose.
        who: usize,
        /// For how long the server still reads what is under way.
        linger_ms: u64,
    },
    /// The server's side of a connection is gone and the client does not notice.
    HalfOpen {
        /// Whose.
        who: usize,
        /// Until when.
        ms: u64,
    },
    /// Everything takes longer.
    Slow {
        /// Whose.
        who: usize,
        /// By how much.
        delay_ms: u64,
        /// For how long.
        ms: u64,
    },
    /// Requests arrive twice and are answered twice.
    Twice {
        /// Whose.
        who: usize,
        /// How many.
        count: u32,
    },
    /// Pushes are not taken: a slow consumer.
    Hold {
        /// Whose.
        who: usize,
        /// For how long.
        ms: u64,
    },
    /// A client's clock is set.
    Clock {
        /// Whose.
        who: usize,
        /// By how much it is wrong then.
        skew_ms: i64,
    },
    /// A client's folder is put back to an earlier copy; a copy is made at the first such fault.
    Rollback {
        /// Whose.
        who: usize,
    },
    /// The server's folder is lost and put back from a backup, and the server says so; the backup is
    /// made at the first such fault.
    Recovery {
        /// How long that takes.
        down_ms: u64,
    },
}

/// How the server's next write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// It is lost.
    Lost,
    /// It is there, and was reported as failed.
    Unseen,
    /// There is no room.
    Full,
}

/// One line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds after the step before.
    pub after_ms: u64,
    /// What happens.
    pub what: What,
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Somebody acts.
    Act(Act),
    /// Something goes wrong.
    Fault(Fault),
}

impl What {
    /// A stable word for counting.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Act(act) => act.word(),
            Self::Fault(fault) => fault.word(),
        }
    }
}

impl Act {
    fn word(&self) -> &'static str {
        match self {
            Self::Meet { .. } => "meet",
            Self::Group { .. } => "group",
            Self::Send { count: 1, .. } => "send",
            Self::Send { .. } => "burst",
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Leave { .. } => "leave",
            Self::Rename { .. } => "rename",
            Self::Role { .. } => "role",
            Self::Restart { .. } => "restart",
            Self::Offline { .. } => "offline",
            Self::Online { .. } => "online",
            Self::Glimpse { .. } => "glimpse",
            Self::Wait { .. } => "wait",
        }
    }
}

impl Fault {
    fn word(&self) -> &'static str {
        match self {
            Self::Crash { .. } => "crash",
            Self::ClientDisk { .. } => "client-disk",
            Self::ServerCrash { .. } => "server-crash",
            Self::ServerDisk { .. } => "server-disk",
            Self::Cut { .. } => "cut",
            Self::HalfOpen { .. } => "half-open",
            Self::Slow { .. } => "slow",
            Self::Twice { .. } => "twice",
            Self::Hold { .. } => "hold",
            Self::Clock { .. } => "clock",
            Self::Rollback { .. } => "rollback",
            Self::Recovery { .. } => "recovery",
        }
    }
}

/// A line as a person reads it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{} ms: ", self.after_ms)?;
        match &self.what {
            What::Act(act) => write!(f, "{act:?}"),
            What::Fault(fault) => write!(f, "FAULT {fault:?}"),
        }
    }
}
