//! Undertone: undertone-server-core.
