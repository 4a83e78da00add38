//! Undertone: undertone-server.
