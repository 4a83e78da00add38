//! What a person's device has told them.

use std::collections::BTreeMap;
use undertone_core::ChatId;
use undertone_core::io::{Event, RowName};

/// What both sides are told of a conversation of two that was lost.
const BEGUN_ANEW: &str = "and it was begun anew";

/// A conversation could not be followed from one time on, until it was begun anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost {
    pub from_ms: u64,
    /// `u64::MAX` while it is.
    pub until_ms: u64,
}

/// Everything that was told and that a judge wants to know.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Gaps, as they were worded.
    pub gaps: BTreeMap<ChatId, Vec<String>>,
    /// Conversations that were said to be stuck: when, and until when they were.
    pub stuck: BTreeMap<ChatId, Vec<Lost>>,
    /// It was said that this profile lives twice.
    pub copied: bool,
    /// Alarms: code and text.
    pub alarms: Vec<(String, String)>,
    /// How often each message was announced.
    pub messages: BTreeMap<RowName, u32>,
    /// Sentences about membership.
    pub members: BTreeMap<ChatId, Vec<String>>,
}

impl Told {
    pub(crate) fn hear(&mut self, event: &Event, now_ms: u64) {
        match event {
            Event::Gap { chat, text } => self.gaps.entry(*chat).or_default().push(text.clone()),
            Event::Stuck { chat, text } => {
                let lost = Lost { from_ms: now_ms, until_ms: u64::MAX };
                self.stuck.entry(*chat).or_default().push(lost);
                self.copied |= text.contains("copied or rolled back");
            }
            Event::Alarm { code, text } => {
                self.copied |= code == "copied_profile";
                self.alarms.push((code.clone(), text.clone()));
            }
            Event::Message(row) => *self.messages.entry(*row).or_default() += 1,
            Event::Member { chat, text } => {
                self.members.entry(*chat).or_default().push(text.clone());
            }
            _ => {}
        }
    }

    /// Whether a gap is about a stay that could not be followed.
    pub(crate) fn is_of_stay(gap: &str) -> bool {
        gap.starts_with("You were in this group before")
    }

    /// Whether a gap is about what was not read in a group, or a conversation, that was begun anew.
    pub(crate) fn is_of_ended_group(gap: &str) -> bool {
        let told = ["when the group was begun anew", "began it anew: what others", BEGUN_ANEW];
        told.iter().any(|words| gap.contains(words))
    }

    /// Whether somebody is said not to have read what was stored in a group that has ended.
    pub(crate) fn of_ended_group(&self, chat: ChatId) -> bool {
        self.gaps.get(&chat).into_iter().flatten().any(|gap| Self::is_of_ended_group(gap))
    }

    /// Whether a stay is said to be missing.
    pub(crate) fn of_skipped_stay(&self, chat: ChatId) -> bool {
        self.gaps.get(&chat).into_iter().flatten().any(|gap| Self::is_of_stay(gap))
    }

    /// Whether anything is said to have expired.
    pub(crate) fn of_expired(&self) -> bool {
        self.gaps.values().flatten().any(|gap| gap.contains("expired before this device"))
    }

    /// Whether a conversation of two was lost, and with it what it may have told of.
    pub(crate) fn of_begun_anew(&self) -> bool {
        self.gaps.values().flatten().any(|gap| gap.contains(BEGUN_ANEW))
    }

    /// A conversation that was said to be stuck goes on.
    pub(crate) fn find_again(&mut self, chat: ChatId, now_ms: u64) {
        let lost = self.stuck.get_mut(&chat).into_iter().flatten();
        lost.for_each(|lost| lost.until_ms = lost.until_ms.min(now_ms));
    }

    /// Whether an invitation of this person could not be followed.
    pub(crate) fn of_failed_join(&self, from: &str) -> bool {
        let told = format!("An invitation from {from} could not be followed");
        self.alarms.iter().any(|(code, text)| code == "join_failed" && text.starts_with(&told))
    }

    /// Whether something of this author is said to be missing.
    pub(crate) fn misses(&self, chat: ChatId, author: &str) -> bool {
        let gaps = self.gaps.get(&chat).into_iter().flatten();
        gaps.into_iter().any(|text| Self::is_of_author(text, author))
    }

    /// Whether a gap is about what this author wrote.
    pub(crate) fn is_of_author(gap: &str, author: &str) -> bool {
        gap.contains(&format!("from {author} "))
    }
}
