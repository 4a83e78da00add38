use super::conformance::{Harness, run};
use crate::Memory;

struct InMemory;

impl Harness for InMemory {
    type Store = Memory;

    fn begin(&self) -> Memory {
        Memory::default()
    }

    fn restart(&self, store: Memory) -> Memory {
        store.reopen()
    }
}

#[test]
fn the_store_in_memory_conforms() {
    run(&InMemory);
}
