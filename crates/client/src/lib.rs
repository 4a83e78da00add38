//! Undertone: undertone-client.
