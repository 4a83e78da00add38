//! Durations as people write them: `30s`, `90m`, `1h`, `7d`, `2w`.

use std::time::Duration;

/// The text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a duration is a number and a unit: 30s, 90m, 1h, 7d or 2w, at most 10 years")]
pub struct BadDuration;

const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Reads a duration; a number alone is seconds, and seconds may have a fraction.
///
/// # Errors
/// [`BadDuration`], also for one beyond ten years.
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let (number, unit_s) = match text.char_indices().last().ok_or(BadDuration)? {
        (at, 's') => (&text[..at], 1),
        (at, 'm') => (&text[..at], 60),
        (at, 'h') => (&text[..at], 3600),
        (at, 'd') => (&text[..at], 86_400),
        (at, 'w') => (&text[..at], 7 * 86_400),
        _ => (text, 1),
    };
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(BadDuration);
    }
    let duration = match number.parse::<u64>() {
        Ok(number) => Duration::from_secs(number.checked_mul(unit_s).ok_or(BadDuration)?),
        Err(_) if unit_s == 1 => fraction(number)?,
        Err(_) => return Err(BadDuration),
    };
    if duration > LONGEST { Err(BadDuration) } else { Ok(duration) }
}

fn fraction(number: &str) -> Result<Duration, BadDuration> {
    let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let seconds: f64 = number.parse().ok().filter(|_| plain).ok_or(BadDuration)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| BadDuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, ms) in [
            ("30s", 30_000),
            ("30", 30_000),
            ("0.5", 500),
            ("1.5s", 1_500),
            ("90m", 5_400_000),
            ("1h", 3_600_000),
            ("7d", 604_800_000),
            ("2w", 1_209_600_000),
            ("0", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "s", "-1", "+5", "1.5h", "1x", "1 h", "inf", "nan", "1e9", "99999999d", "½h", "١h"]
        {
            assert_eq!(parse_duration(text), Err(BadDuration), "{text}");
        }
    }
}
