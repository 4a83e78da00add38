//! Undertone: undertone-core.
