//! What is kept is bounded by what people did.

use crate::outcome::Wrong;
use crate::world::World;

impl World {
    /// See [`size_max`].
    pub(super) fn judge_size(&mut self) {
        let mut found = Vec::new();
        for person in &self.people {
            let conversations = person.standings.len();
            let seats: usize = person
                .standings
                .values()
                .filter_map(|it| it.epoch.as_ref())
                .map(|it| it.seats.len())
                .sum();
            for (space, (count, bytes)) in person.disk.size() {
                let (count_max, bytes_max) = size_max(conversations, seats, self.texts.len());
                if count > count_max || bytes > bytes_max {
                    let text =
                        format!("{}: {count} records, {bytes} bytes in {space}", person.name);
                    found.push((Wrong::Unbounded, text));
                }
            }
        }
        self.all_wrong(found);
    }
}

/// Records and bytes that one space of a profile may hold at most.
fn size_max(conversations: usize, seats: usize, texts: usize) -> (usize, usize) {
    let count = 200 + 100 * conversations + 10 * seats + 10 * texts;
    (count, 4_000 * count)
}
