//! What other people wrote must not steer the reader's terminal, nor look like the program's words.

use serde_json::Value;
use std::fmt::Write;

const FIRST_STRONG_ISOLATE: char = '\u{2068}';
const POP_ISOLATE: char = '\u{2069}';

/// One line: controls become pictures, marks that turn the direction become their numbers.
pub fn safe(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\0'..='\u{1f}' => shown.push(picture(c)),
            '\u{7f}' => shown.push('\u{2421}'),
            c if c.is_control() || turns(c) => {
                write!(shown, "<U+{:04X}>", u32::from(c)).expect("a string takes everything");
            }
            c => shown.push(c),
        }
    }
    shown
}

/// A name: harmless, and its direction does not spill over what stands beside it.
pub fn name(name: &str) -> String {
    isolated(safe(name))
}

/// A text of several lines; all but the first are indented, so that none can pose as another
/// message.
pub fn text(text: &str) -> String {
    let lines = text.split('\n').map(|line| isolated(safe(line.trim_end_matches('\r'))));
    lines.collect::<Vec<_>>().join("\n    ")
}

/// JSON on one line. What a terminal would obey is escaped, which JSON reads back as the same.
pub fn harmless_json(value: &Value) -> String {
    let mut shown = String::new();
    for c in value.to_string().chars() {
        if c.is_control() || turns(c) {
            write!(shown, "\\u{:04x}", u32::from(c)).expect("a string takes everything");
        } else {
            shown.push(c);
        }
    }
    shown
}

fn isolated(line: String) -> String {
    if line.is_ascii() { line } else { format!("{FIRST_STRONG_ISOLATE}{line}{POP_ISOLATE}") }
}

/// The picture of a control character: U+2400 and on.
fn picture(c: char) -> char {
    char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')
}

/// Direction overrides and isolates, and the separators that some terminals break lines at.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_shown_and_not_obeyed() {
        assert_eq!(safe("\u{1b}[2Jgone\u{7}"), "␛[2Jgone␇");
        assert_eq!(safe("\u{9b}2J\u{7f}"), "<U+009B>2J␡");
        assert_eq!(safe("txt.\u{202e}exe"), "txt.<U+202E>exe");
        assert_eq!(safe("a\nBen: b"), "a␊Ben: b");
        assert_eq!(safe("a\tb"), "a␉b");
    }

    #[test]
    fn other_scripts_and_emoji_stand() {
        assert_eq!(name("Ada"), "Ada");
        assert_eq!(name("آدا"), "\u{2068}آدا\u{2069}");
        assert_eq!(safe("e\u{301} 🦉 👩‍👩‍👧"), "e\u{301} 🦉 👩‍👩‍👧");
    }

    #[test]
    fn no_line_of_a_text_begins_where_a_message_begins() {
        assert_eq!(text("one\r\ntwo\nthree"), "one\n    two\n    three");
    }

    #[test]
    fn json_reads_back_the_same() {
        let value = serde_json::json!({ "text": "a\u{9b}\u{202e}\u{1b}\"\\ü" });
        let line = harmless_json(&value);
        assert!(line.chars().all(|c| !c.is_control() && !turns(c)), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }

    proptest! {
        #[test]
        fn nothing_shown_is_a_control(line in "\\PC*|.*") {
            prop_assert!(safe(&line).chars().all(|c| !c.is_control() && !turns(c)));
            prop_assert!(text(&line).chars().all(|c| !c.is_control() || c == '\n'));
        }
    }
}
