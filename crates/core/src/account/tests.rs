//! Whole devices against a whole server: stories of people.

mod crashes;
mod groups;
mod malice;
mod mended;
mod pairs;
mod returns;
mod schedules;
