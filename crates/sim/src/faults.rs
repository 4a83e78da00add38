//! What goes wrong, and what is put back.

use crate::act::{Fault, What};
use crate::person::Copied;
use crate::world::{Happening, World};

impl World {
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.coverage.count(What::Fault(fault.clone()).word());
        let now_ms = self.now_ms;
        match fault {
            Fault::Crash { who, after, down_ms } => self.people[who].dies = Some((after, down_ms)),
            Fault::ClientDisk { who, ms } => self.people[who].disk_full_until_ms = now_ms + ms,
            Fault::ServerCrash { down_ms } => self.crash_server(down_ms),
            Fault::ServerDisk { fault, down_ms } => {
                self.server.repair_ms = down_ms;
                self.server.break_disk(fault);
            }
            Fault::Cut { who, linger_ms } => self.cut(who, linger_ms),
            Fault::HalfOpen { who, ms } => self.half_open(who, ms),
            Fault::Slow { who, delay_ms, ms } => self.people[who].slow = (delay_ms, now_ms + ms),
            Fault::Twice { who, count } => self.people[who].twice = count,
            Fault::Hold { who, ms } => self.people[who].holds_until_ms = now_ms + ms,
            Fault::Clock { who, skew_ms } => {
                self.people[who].skew_ms = skew_ms;
                self.schedule_wake(who);
            }
            Fault::Rollback { who } => self.roll_back(who),
            Fault::Recovery { down_ms } => {
                if self.server.lose() {
                    self.note(|_| "the server's folder is lost".to_owned());
                    self.crash_server(down_ms);
                }
            }
        }
    }

    fn half_open(&mut self, who: usize, ms: u64) {
        if let Some(line) = self.people[who].line {
            self.close(line, 0);
            self.at(self.now_ms + ms, Happening::Notice { who, line });
        }
    }

    /// The first time a copy is made; after that it is put back, and with it what its screen shows.
    fn roll_back(&mut self, who: usize) {
        let (at_ms, person) = (self.now_ms, &mut self.people[who]);
        let Some(copy) = person.copy.clone() else {
            let (disk, wishes) = (person.disk.clone(), person.wishes.clone());
            let shown = person.told.messages.clone();
            person.copy = Some(Copied { disk, shown, wishes });
            return;
        };
        self.stop(who, 1_000, "is put back to an earlier copy");
        let person = &mut self.people[who];
        person.restored_ms.get_or_insert(at_ms);
        person.disk = copy.disk;
        person.told.messages = copy.shown;
        person.wishes = copy.wishes;
    }
}
