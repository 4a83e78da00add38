//! # Hostile bytes: what every fuzz target does
//!
//! One function per target, from bytes to nothing. It may refuse them; it must not panic, hang, or
//! take more memory than the bytes are worth. Where something can be said of what comes out (one
//! value has one form, a receipt proves what was stored, a device that was lied to still starts
//! again from its disk), the target asserts it.
//!
//! The same functions run in two places: under libFuzzer (`fuzz_targets/`), and in this crate's
//! tests, which replay the corpus and every input that once broke something, on a stable compiler.
//!
//! The first half decodes: each format that crosses the wire, a socket or a disk. The second half
//! is whole: a server that is sent anything, a device whose server lies and signs its lies, a
//! device with a malicious member in its group, a profile and a server's folder that were damaged.

mod client;
mod edit;
pub mod engine;
mod folder;
mod input;
mod member;
mod mls;
mod profile;
mod sealed;
mod seeds;
#[cfg(feature = "shell")]
mod session;
#[cfg(feature = "shell")]
mod shell;
mod texts;
mod wire;
pub mod world;

pub use seeds::seeds;

/// One target.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name of its program and of its folder in `corpus` and `kept`.
    pub name: &'static str,
    /// What it does with an input.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($(#[$when:meta])* $name:ident: $run:path,)*) => {
        /// All targets.
        pub const TARGETS: &[Target] =
            &[$($(#[$when])* Target { name: stringify!($name), run: $run },)*];

        $(
            $(#[$when])*
            #[doc = concat!("The target `", stringify!($name), "`.")]
            pub fn $name(bytes: &[u8]) {
                $run(bytes);
            }
        )*
    };
}

targets! {
    frame: wire::frame,
    parts: wire::parts,
    proofs: wire::proofs,
    texts: texts::texts,
    head: sealed::head,
    body: sealed::body,
    commit: sealed::commit,
    policy: sealed::policy,
    link: sealed::link,
    offer: sealed::offer,
    answer: sealed::answer,
    cell: sealed::cell,
    device_list: sealed::device_list,
    key_package: mls::key_package,
    mls_message: mls::message,
    #[cfg(feature = "shell")]
    profile_header: shell::profile_header,
    #[cfg(feature = "shell")]
    settings: shell::settings,
    #[cfg(feature = "shell")]
    control_lines: shell::control_lines,
    #[cfg(feature = "shell")]
    http: shell::http,
    #[cfg(feature = "shell")]
    certificate: shell::certificate,
    store_folder: folder::folder,
    server_engine: engine::engine,
    #[cfg(feature = "shell")]
    server_session: session::session,
    profile_records: profile::records,
    client_server: client::server,
    client_member: member::member,
}
