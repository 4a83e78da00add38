//! What must not compile: secrets cannot be printed or serialised by accident.
//!
//! Each refusal stands beside a twin that compiles and differs in the refused thing alone, so that no
//! example fails for another reason. (Examples that the compiler must refuse cost seconds; comparing
//! its messages would tie the tests to one version of it.)
//!
//! No secret prints itself:
//! ```
//! fn show(value: impl std::fmt::Display) {}
//! show(undertone_crypto::Secret::from_bytes([0; 32]).dangerous_bytes()[0]);
//! ```
//! ```compile_fail,E0277
//! fn show(value: impl std::fmt::Display) {}
//! show(undertone_crypto::Secret::from_bytes([0; 32]));
//! ```
//! ```
//! fn show(phrase: undertone_crypto::Phrase) -> String {
//!     phrase.dangerous_words().to_string()
//! }
//! ```
//! ```compile_fail,E0599
//! fn show(phrase: undertone_crypto::Phrase) -> String {
//!     phrase.to_string()
//! }
//! ```
//! Nor does serde take one, bare or within the keys and slots that are made of it:
//! ```
//! fn serialise<T: serde::Serialize>() {}
//! serialise::<undertone_crypto::IdentityKey>();
//! ```
//! ```compile_fail,E0277
//! fn serialise<T: serde::Serialize>() {}
//! serialise::<undertone_crypto::Secret>();
//! ```
//! ```compile_fail,E0277
//! fn serialise<T: serde::Serialize>() {}
//! serialise::<undertone_crypto::Slot>();
//! ```
//! ```compile_fail,E0277
//! fn serialise<T: serde::Serialize>() {}
//! serialise::<undertone_crypto::CellKey>();
//! ```
//! ```compile_fail,E0277
//! fn serialise<T: serde::Serialize>() {}
//! serialise::<undertone_crypto::Identity>();
//! ```
//! ```compile_fail,E0277
//! fn serialise<T: serde::Serialize>() {}
//! serialise::<undertone_crypto::LeafKey>();
//! ```
//! ```compile_fail,E0277
//! fn serialise<T: serde::Serialize>() {}
//! serialise::<undertone_crypto::EnvelopeSecret>();
//! ```
//! Nor the codec of the wire:
//! ```
//! fn serialise<T: tls_codec::Serialize>() {}
//! serialise::<undertone_crypto::IdentityKey>();
//! ```
//! ```compile_fail,E0277
//! fn serialise<T: tls_codec::Serialize>() {}
//! serialise::<undertone_crypto::Secret>();
//! ```
