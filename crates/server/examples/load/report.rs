//! Figures for people and for programs.

use std::io::Write;

/// The figures of one measurement, in the order in which they were taken.
#[derive(Default)]
pub(crate) struct Row {
    name: String,
    values: Vec<(&'static str, f64)>,
}

/// The goals of the project, for the ratio beside each figure.
fn goal(name: &str, value: &str) -> Option<f64> {
    let goals = [
        ("500 pairs x 1 in flight", "delivered_per_s", 12_000.0),
        ("500 pairs x 1 in flight", "cpu_s_per_100k", 7.0),
        ("50 pairs x 32 in flight", "delivered_per_s", 50_000.0),
        ("50 pairs x 32 in flight", "cpu_s_per_100k", 2.0),
        ("500 pairs at half that load", "p50_ms", 25.0),
        ("500 pairs at half that load", "p99_ms", 60.0),
        ("5000 idle clients", "kib_per_idle_connection", 24.0),
        ("5000 idle clients", "server_cores", 0.3),
    ];
    goals.into_iter().find(|(row, of, _)| *row == name && *of == value).map(|(.., goal)| goal)
}

impl Row {
    pub(crate) fn with(mut self, name: &'static str, value: f64) -> Self {
        self.values.push((name, value));
        self
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// A figure; not a number when it was not taken.
    pub(crate) fn value(&self, name: &str) -> f64 {
        self.values.iter().find(|(known, _)| *known == name).map_or(f64::NAN, |(_, value)| *value)
    }

    fn json(&self) -> serde_json::Value {
        let values = self.values.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
        let mut object: serde_json::Map<_, serde_json::Value> = values.collect();
        object.insert("name".into(), self.name.clone().into());
        object.into()
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.name);
        for (name, value) in &self.values {
            let ratio = goal(&self.name, name)
                .map(|goal| format!("   goal {goal}, ratio {:.2}", value / goal));
            text += &format!("  {name:<32}{value:>12.2}{}\n", ratio.unwrap_or_default());
        }
        text
    }
}

/// All figures on stdout.
pub(crate) fn print(rows: &[Row], json: bool) {
    match json {
        true => {
            let rows: Vec<_> = rows.iter().map(Row::json).collect();
            print_line(&serde_json::json!({ "server": rows }).to_string());
        }
        false => rows.iter().for_each(|row| print_line(&row.text())),
    }
}

/// One line on stdout.
pub(crate) fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: nothing is left to be said.
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}

/// One line on stderr.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").ok();
}
