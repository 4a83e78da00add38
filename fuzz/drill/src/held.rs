//! Tests of other crates that hold a row.

/// One test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its file, from the repository's root.
    pub file: &'static str,
    /// Its name.
    pub test: &'static str,
}

/// A test's file and name.
pub(crate) const fn held(file: &'static str, test: &'static str) -> Held {
    Held { file, test }
}

#[cfg(test)]
mod tests {
    use crate::{Play, rows};
    use std::{fs, path::Path};

    #[test]
    fn the_tests_that_hold_a_row_exist() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for row in rows() {
            let Play::Held(all) = row.play else { continue };
            assert!(!all.is_empty(), "{}: nothing holds it", row.id);
            for held in all {
                let source = fs::read_to_string(root.join(held.file));
                let source = source.unwrap_or_else(|error| panic!("{}: {error}", held.file));
                let name = format!("fn {}(", held.test);
                let found = source.find(&name);
                let at = found.unwrap_or_else(|| panic!("{}: no {}", held.file, held.test));
                let head = source[..at].trim_end().trim_end_matches("async").trim_end();
                let tested = head.rsplit('\n').take(3).any(|line| line.contains("test"));
                assert!(tested, "{}: {} is no test", held.file, held.test);
            }
        }
    }
}
