//! Texts and times as a terminal may see them.

mod duration;
mod escape;
mod time;

pub use duration::{BadDuration, parse_duration};
pub use escape::{harmless_json, name, safe, text};
pub use time::rfc3339;
