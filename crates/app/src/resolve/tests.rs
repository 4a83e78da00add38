use super::*;
use undertone_core::{
    ChatId, Name,
    io::{ChatState, Role},
};

fn contact(id: u8, name: &str) -> ChatView {
    ChatView {
        chat: ChatId([id; 16]),
        name: Name::parse(name).unwrap(),
        kind: ChatKind::Contact,
        state: ChatState::Open,
        named_here: false,
        verified: false,
        contact: Some(IdentityKey([id; 32])),
    }
}

fn group(id: u8, name: &str) -> ChatView {
    ChatView { kind: ChatKind::Group, contact: None, ..contact(id, name) }
}

fn member(id: u8, name: &str) -> MemberView {
    MemberView {
        identity: IdentityKey([id; 32]),
        name: Name::parse(name).unwrap(),
        role: Role::Member,
        joined: true,
        invited_since_ms: None,
        own: false,
    }
}

fn chats() -> Vec<ChatView> {
    vec![contact(0xb1, "Ben"), contact(0xc1, "Chloe"), group(0xb2, "Bees"), contact(0xc2, "Chloe")]
}

fn found(text: &str) -> Result<u8, (Exit, String)> {
    chat_among(chats(), text)
        .map(|chat| chat.chat.0[0])
        .map_err(|failure| (failure.exit, failure.code))
}

fn not_found<T>() -> Result<T, (Exit, String)> {
    Err((Exit::NotFound, "not_found".to_owned()))
}

fn fits_many<T>() -> Result<T, (Exit, String)> {
    Err((Exit::NotFound, "ambiguous".to_owned()))
}

#[test]
fn a_chat_is_an_exact_name() {
    assert_eq!(found("Ben"), Ok(0xb1));
    assert_eq!(found("Bees"), Ok(0xb2));
    for other in ["ben", "Be", " Ben", "", "b1"] {
        assert_eq!(found(other), not_found(), "{other:?}");
    }
}

#[test]
fn a_chat_is_an_id_or_the_beginning_of_one() {
    assert_eq!(found(&ChatId([0xb1; 16]).to_string()), Ok(0xb1));
    assert_eq!(found("#b1"), Ok(0xb1));
    assert_eq!(found("#b"), fits_many());
    assert_eq!(found("#"), not_found());
    assert_eq!(found("#B1"), not_found());
    assert_eq!(found("#é"), not_found());
}

#[test]
fn a_name_of_two_is_refused_with_both() {
    let failure = chat_among(chats(), "Chloe").unwrap_err();
    assert_eq!((failure.exit, failure.code.as_str()), (Exit::NotFound, "ambiguous"));
    let candidates = failure.ids["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 2);
    for id in [0xc1, 0xc2] {
        assert!(failure.hint.contains(&ChatId([id; 16]).to_string()), "{}", failure.hint);
    }
}

#[test]
fn a_contact_is_never_a_group() {
    let contact = |text: &str| {
        contact_among(&chats(), text)
            .map(|identity| identity.0[0])
            .map_err(|failure| (failure.exit, failure.code))
    };
    assert_eq!(contact("Ben"), Ok(0xb1));
    assert_eq!(contact("@b1"), Ok(0xb1));
    assert_eq!(contact("#b1"), Ok(0xb1));
    assert_eq!(contact("Bees"), not_found());
    assert_eq!(contact("#b2"), not_found());
    assert_eq!(contact("@"), not_found());
    assert_eq!(contact("Chloe"), fits_many());
}

#[test]
fn a_member_is_looked_for_in_the_group_alone() {
    let members = [member(0xb1, "Ben"), member(0xd1, "Dan"), member(0xd2, "Dan")];
    let member = |text: &str| {
        member_among(&members, &chats(), text)
            .map(|identity| identity.0[0])
            .map_err(|failure| (failure.exit, failure.code))
    };
    assert_eq!(member("Ben"), Ok(0xb1));
    assert_eq!(member("#b1"), Ok(0xb1));
    assert_eq!(member("@d2"), Ok(0xd2));
    assert_eq!(member("Dan"), fits_many());
    assert_eq!(member("Chloe"), not_found());
    assert_eq!(member("#c1"), not_found());
}

#[test]
fn a_message_is_its_whole_id() {
    let id = MessageId([0xab; 16]);
    assert_eq!(message(&id.to_string()), Ok(id));
    for other in ["", "%", "%ab", &id.to_string()[1..], "hello"] {
        assert_eq!(message(other).unwrap_err().exit, Exit::Usage, "{other:?}");
    }
}
