//! Undertone: undertone-crypto.
