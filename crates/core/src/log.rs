//! The follower of the server's log.
