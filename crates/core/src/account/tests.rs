//! Whole devices against a whole server: stories of people.

mod collisions;
mod crashes;
mod devices;
mod doors;
mod evil;
mod expiry;
mod groups;
mod malice;
mod mended;
mod pairs;
mod reentry;
mod restarts;
mod restored;
mod returns;
mod schedules;
mod silence;
mod stays;
mod wishes;
