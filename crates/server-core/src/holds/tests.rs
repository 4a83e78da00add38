use super::*;
use crate::testkit::folder;

#[test]
fn the_list_accounts_for_every_byte_of_a_folder() {
    let files = folder();
    let listed: u64 = holds(&files).unwrap().iter().map(|held| held.bytes).sum();
    let names = files.list().unwrap();
    let there: u64 = names.iter().map(|name| files.len(name).unwrap()).sum();
    assert_eq!(listed, there);
}

#[test]
fn it_counts_what_is_there() {
    let held = holds(&folder()).unwrap();
    let items = |field| held.iter().find(|held| held.field == field).map(|held| held.items);
    assert_eq!(items("cell"), Some(29 * 6));
    assert_eq!(items("tick"), Some(29 * 3));
    assert_eq!(items("record"), Some(1));
    assert_eq!(items("sidecar"), Some(28));
    assert_eq!(items("unfinished"), Some(0));
}
