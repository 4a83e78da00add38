//! A verb in another process, which has the profile.

use super::{here, progress};
use crate::{Exit, Failure, Outcome, Verb};
use serde_json::Value;
use std::{path::Path, time::Duration};
use tokio::time::Instant;
use undertone_client::control::{Caller, ControlError};
use undertone_store::DatabaseKey;

/// What came of a call.
#[derive(Debug)]
pub(super) enum Called {
    /// The verb ran there to its end.
    Done(Outcome),
    /// The process that has the profile takes no commands.
    Nobody,
    /// It ended before the verb did, which may be begun again.
    Cut,
}

/// Runs the verb there; one that is cut goes on where it was.
pub(super) async fn run(
    folder: &Path,
    key: &DatabaseKey,
    verb: &mut Verb,
    json: bool,
) -> Result<Called, Failure> {
    let caller = match Caller::connect(folder, key).await {
        Ok(caller) => caller,
        Err(ControlError::NobodyListens | ControlError::Unsupported) => return Ok(Called::Nobody),
        // It may have ended between the look at the lock and now.
        Err(ControlError::Broken(_)) => return Ok(Called::Nobody),
        Err(error @ ControlError::Stranger) => return Err(unusable(&error)),
    };
    let request = serde_json::to_value(&*verb)
        .map_err(|error| Failure::bug(&format!("a verb does not serialise: {error}")))?;
    let begun = Instant::now();
    let mut seq = None;
    let line = |line: Value| {
        seq = line["seq"].as_u64().or(seq);
        // A closed stdout is noticed at the end; the verb's effect does not depend on it.
        let _ = here::print_line(&line, json);
    };
    let answer = progress::shown(progress::waiting_for(verb), caller.call(request, line)).await;
    judged(answer, verb).map(|called| {
        if matches!(called, Called::Cut) {
            go_on(verb, seq, begun.elapsed());
        }
        called
    })
}

/// What the answer, or its absence, means.
fn judged(answer: Result<Value, ControlError>, verb: &Verb) -> Result<Called, Failure> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(ControlError::Broken(_)) if verb.may_begin_again() => return Ok(Called::Cut),
        Err(error) => return Err(unusable(&error)),
    };
    let result: Result<Outcome, Failure> =
        serde_json::from_value(answer).map_err(|_| unusable(&ControlError::Stranger))?;
    match result {
        Ok(outcome) => Ok(Called::Done(outcome)),
        Err(failure) if failure.code == "in_use" && verb.may_begin_again() => Ok(Called::Cut),
        Err(failure) => Err(failure),
    }
}

/// A `watch` that has said something says the rest, for the rest of its time.
fn go_on(verb: &mut Verb, seq: Option<u64>, after: Duration) {
    if let (Verb::Watch(args), Some(seq)) = (verb, seq) {
        args.go_on(seq, after);
    }
}

fn unusable(error: &ControlError) -> Failure {
    Failure::new(
        Exit::Storage,
        "in_use",
        error.to_string(),
        "what was queued stays queued; end the other process, or try again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use serde_json::json;
    use undertone_store::StoreError;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        verb: Verb,
    }

    fn verb(words: &str) -> Verb {
        Line::try_parse_from(["undertone"].into_iter().chain(words.split(' '))).unwrap().verb
    }

    fn broken() -> ControlError {
        ControlError::Broken(std::io::ErrorKind::UnexpectedEof.into())
    }

    #[test]
    fn what_may_begin_again_is_cut_by_the_end_of_the_holder_and_nothing_else_is() {
        let in_use = || {
            let failure: Failure = StoreError::InUse.into();
            serde_json::to_value(Err::<Outcome, _>(failure)).unwrap()
        };
        for words in ["send Ben hello", "sync", "watch", "doctor", "chats", "read Ben"] {
            let verb = verb(words);
            assert!(matches!(judged(Err(broken()), &verb), Ok(Called::Cut)), "{words}");
            assert!(matches!(judged(Ok(in_use()), &verb), Ok(Called::Cut)), "{words}");
        }
        for words in ["link", "accept undertone:x", "group create Desk Ben", "requests accept #1"] {
            let failure = judged(Err(broken()), &verb(words)).unwrap_err();
            assert_eq!((failure.exit, failure.code.as_str()), (Exit::Storage, "in_use"), "{words}");
        }
    }

    #[test]
    fn an_answer_is_what_the_verb_came_to_there() {
        let outcome = Outcome::new(json!({ "chats": [] }), "");
        let answer = serde_json::to_value(Ok::<_, Failure>(outcome.clone())).unwrap();
        let Ok(Called::Done(came)) = judged(Ok(answer), &verb("chats")) else { panic!() };
        assert_eq!(came, outcome);
        assert!(judged(Ok(json!("nonsense")), &verb("chats")).is_err());
    }

    #[test]
    fn a_watch_that_was_cut_goes_on_after_its_last_line_for_the_rest_of_its_time() {
        let mut watch = verb("watch Ben --timeout 10");
        go_on(&mut watch, None, Duration::from_secs(4));
        assert_eq!(watch, verb("watch Ben --timeout 10"), "it has said nothing yet");
        go_on(&mut watch, Some(7), Duration::from_secs(4));
        let Verb::Watch(args) = &watch else { panic!() };
        assert_eq!((args.since, args.resumed), (Some(7), true));
        assert_eq!(args.timeout.timeout, Some(Duration::from_secs(6)));
    }

    #[test]
    fn a_message_has_its_key_before_anybody_is_asked_to_send_it() {
        let mut send = verb("send Ben hello");
        send.prepare().unwrap();
        let Verb::Send(args) = &send else { panic!() };
        let key = args.id.clone().unwrap();
        let failure = send.told(unusable(&broken()));
        assert_eq!(failure.ids["id"], key);
    }
}
