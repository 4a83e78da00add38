//! What a person's device has told them.

use std::collections::{BTreeMap, BTreeSet};
use undertone_core::ChatId;
use undertone_core::io::{Event, RowName};

/// What both sides are told of a conversation of two that was lost.
const BEGUN_ANEW: &str = "and it was begun anew";

/// Everything that was told and that a judge wants to know.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Gaps, as they were worded.
    pub gaps: BTreeMap<ChatId, Vec<String>>,
    /// Conversations that were said to be stuck.
    pub stuck: BTreeSet<ChatId>,
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
    pub(crate) fn hear(&mut self, event: &Event) {
        match event {
            Event::Gap { chat, text } => self.gaps.entry(*chat).or_default().push(text.clone()),
            Event::Stuck { chat, text } => {
                self.stuck.insert(*chat);
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

    /// Whether an invitation could not be followed.
    pub(crate) fn of_failed_join(&self) -> bool {
        self.alarms.iter().any(|(code, _)| code == "join_failed")
    }

    /// Whether something of this author is said to be missing.
    pub(crate) fn misses(&self, chat: ChatId, author: &str) -> bool {
        let gaps = self.gaps.get(&chat).into_iter().flatten();
        gaps.into_iter().any(|text| text.contains(&format!("from {author} ")))
    }
}
