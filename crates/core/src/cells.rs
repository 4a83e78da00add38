//! Cells to be stored and fetched.
