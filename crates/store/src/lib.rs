//! Undertone: undertone-store.
