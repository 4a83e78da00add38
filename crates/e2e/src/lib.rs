//! Undertone: undertone-e2e.
