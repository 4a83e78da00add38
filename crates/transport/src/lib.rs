//! Undertone: undertone-transport.
