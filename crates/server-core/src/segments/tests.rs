use super::*;
use crate::{Crash, MemFiles, testing, testkit::*};

struct InFiles;

impl testing::Harness for InFiles {
    type Store = Segments<MemFiles>;

    fn begin(&self) -> Self::Store {
        Segments::open(MemFiles::default(), &keys(), [1; 32]).unwrap()
    }

    /// A power cut: what was acknowledged must be there after it.
    fn restart(&self, store: Self::Store) -> Self::Store {
        let files = store.files().after(Crash { seed: 3 });
        Segments::open(files, &keys(), [2; 32]).unwrap()
    }
}

#[test]
fn the_store_in_segments_conforms() {
    testing::run(&InFiles);
}
