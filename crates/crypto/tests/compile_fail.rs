//! What must not compile: a secret cannot be printed or serialised by accident.

#[test]
fn secrets_neither_print_nor_serialise() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
