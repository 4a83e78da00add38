//! Undertone: undertone-app.
