use super::*;

fn person(leaf: u32) -> Member {
    let seed = leaf as u8;
    Member {
        leaf,
        identity: IdentityKey([seed; 32]),
        device: DeviceId([seed; 16]),
        mls_key: [seed; 32],
        key_hash: [seed; 32],
    }
}

const ADA: u32 = 0;
const BEN: u32 = 1;
const CHLOE: u32 = 2;
const DAN: u32 = 3;

/// Ada owns the group, Ben is an admin, Chloe and Dan are members.
fn may(author: u32, change: &Change) -> bool {
    let members: Vec<_> = [ADA, BEN, CHLOE, DAN].map(person).into();
    let policy =
        Policy::group("Desk", person(ADA).identity).with_role(person(BEN).identity, Role::Admin);
    Bench { policy: &policy, members: &members, conversation: &[0; 32] }.may(author, change)
}

fn remove(leaf: u32) -> Change {
    let removed = Removed { leaf, identity: person(leaf).identity, left: None };
    Change { removes: vec![removed], ..Change::default() }
}

fn add(leaf: u32) -> Change {
    let Member { identity, device, mls_key, .. } = person(leaf);
    Change { adds: vec![Added { identity, device, mls_key, list_number: 1 }], ..Change::default() }
}

fn set(policy: &Policy) -> Change {
    Change { policy: Some(policy.to_bytes().into()), ..Change::default() }
}

#[test]
fn anybody_may_refresh_their_own_keys() {
    assert!(may(DAN, &Change::default()));
    assert!(!may(9, &Change::default()), "a leaf that is not there may nothing");
}

#[test]
fn admins_remove_members_and_only_owners_remove_admins() {
    assert!(may(BEN, &remove(CHLOE)));
    assert!(may(ADA, &remove(BEN)));
    assert!(!may(BEN, &remove(ADA)));
    assert!(!may(CHLOE, &remove(DAN)));
    let mut misnamed = remove(CHLOE);
    misnamed.removes[0].identity = person(DAN).identity;
    assert!(!may(ADA, &misnamed), "leaf and identity must be the same person");
}

#[test]
fn members_add_only_leaves_of_their_own() {
    assert!(may(BEN, &add(7)));
    assert!(!may(CHLOE, &add(7)));
    assert!(may(CHLOE, &add(CHLOE)));
}

#[test]
fn nobody_adds_the_leaf_above_the_limit() {
    let adds: Vec<_> = (4..251).flat_map(|leaf| add(leaf).adds).collect();
    let full = Change { adds: adds[..246].to_vec(), ..Change::default() };
    assert!(may(ADA, &full), "250 leaves stand");
    assert!(!may(ADA, &Change { adds, ..Change::default() }), "251 do not");
}

#[test]
fn admins_rename_and_owners_give_roles() {
    let policy =
        Policy::group("Desk", person(ADA).identity).with_role(person(BEN).identity, Role::Admin);
    assert!(may(BEN, &set(&policy.with_name("Newsroom"))));
    assert!(!may(CHLOE, &set(&policy.with_name("Newsroom"))));
    let promoted = policy.with_role(person(CHLOE).identity, Role::Admin);
    assert!(may(ADA, &set(&promoted)));
    assert!(!may(BEN, &set(&promoted)));
    let ownerless = policy.with_role(person(ADA).identity, Role::Member);
    assert!(!may(ADA, &set(&ownerless)), "a group keeps an owner");
}

#[test]
fn a_contact_is_of_two_people_for_ever() {
    let members = [person(ADA), person(BEN)];
    let policy = Policy::contact();
    let bench = Bench { policy: &policy, members: &members, conversation: &[0; 32] };
    assert!(!bench.may(ADA, &add(CHLOE)));
    assert!(!bench.may(ADA, &remove(BEN)));
    assert!(!bench.may(ADA, &set(&Policy::group("x", person(ADA).identity))));
}
