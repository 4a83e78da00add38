//! The head of a lane or control cell: what a leaf signs about what it writes (DESIGN.md section 4).
//!
//! The signature covers the cell's tag: nobody can show a head at another place. It covers the
//! payload's hash, the place, the hash of the declared change and *C*, the commitment to the
//! message's body: who received a message can prove it to anybody by opening *C*.

use crate::parcel::ParcelRef;
use sha2::{Digest, Sha256};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};
use undertone_crypto::cell::CONTENT_MAX;
use undertone_crypto::{LeafKey, verify_header};
use undertone_wire::{Tag, decode, encode};

/// What a cell carries.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub(crate) enum Payload {
    /// The bytes themselves.
    #[tls_codec(discriminant = 1)]
    Inline(VLBytes),
    /// The bytes lie in parts.
    #[tls_codec(discriminant = 2)]
    Parcel(ParcelRef),
}

impl Payload {
    /// What the head's signature covers of the payload. A parcel's reference commits to its bytes.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(encode(self)).into()
    }
}

/// What the author says of the payload.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Claims {
    /// The author's leaf in this epoch.
    pub leaf: u32,
    /// In lanes: how many counting cells precede this one. In the control lane: 0.
    pub place: u64,
    /// In the control lane: SHA-256 of the declared change. In lanes: zeros.
    pub change: [u8; 32],
    /// In lanes: *C*, the commitment to the body. In the control lane: zeros.
    pub body: [u8; 32],
}

/// The content of a lane or control cell.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct SignedHead {
    /// What is claimed.
    pub claims: Claims,
    /// The leaf's signature over tag, claims and payload hash.
    pub signature: [u8; 64],
    /// What is carried.
    pub payload: Payload,
}

#[derive(TlsSize, TlsSerialize)]
struct Signed<'a> {
    tag: Tag,
    claims: &'a Claims,
    payload: [u8; 32],
}

fn signed_bytes(tag: &Tag, claims: &Claims, payload: [u8; 32]) -> Vec<u8> {
    encode(&Signed { tag: *tag, claims, payload })
}

/// A head without its payload, as a proof of what somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct HeadProof {
    /// The cell's address.
    pub tag: Tag,
    /// What was claimed there.
    pub claims: Claims,
    /// Hash of the payload.
    pub payload: [u8; 32],
    /// The signature over these.
    pub signature: [u8; 64],
}

impl HeadProof {
    /// Whether the owner of `mls_key` signed this.
    pub(crate) fn verify(&self, mls_key: &[u8; 32]) -> bool {
        let message = signed_bytes(&self.tag, &self.claims, self.payload);
        verify_header(mls_key, &message, &self.signature)
    }
}

impl SignedHead {
    /// Bytes that an inline payload may have beside a head.
    pub(crate) const INLINE_MAX: usize = CONTENT_MAX - 4 - 8 - 32 - 32 - 64 - 1 - 2;

    /// Signs `claims` about `payload` for the cell at `tag`.
    pub(crate) fn sign(key: &LeafKey, tag: &Tag, claims: Claims, payload: Payload) -> Self {
        let signature = key.sign_header(&signed_bytes(tag, &claims, payload.hash()));
        Self { claims, signature, payload }
    }

    /// Reads a cell's content; `None` when it is not a head.
    pub(crate) fn parse(content: &[u8]) -> Option<Self> {
        decode(content).ok()
    }

    /// What proves this head without its payload.
    pub(crate) fn proof(&self, tag: &Tag) -> HeadProof {
        HeadProof {
            tag: *tag,
            claims: self.claims.clone(),
            payload: self.payload.hash(),
            signature: self.signature,
        }
    }

    /// Whether the owner of `mls_key` signed this for the cell at `tag`.
    pub(crate) fn verify(&self, mls_key: &[u8; 32], tag: &Tag) -> bool {
        self.proof(tag).verify(mls_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(key: &LeafKey, payload: Payload) -> SignedHead {
        let claims = Claims { leaf: 1, place: 2, change: [0; 32], body: [3; 32] };
        SignedHead::sign(key, &Tag([9; 32]), claims, payload)
    }

    #[test]
    fn a_head_is_bound_to_its_tag_claims_payload_and_key() {
        let ada = LeafKey::from_seed(&[1; 32]);
        let ben = LeafKey::from_seed(&[2; 32]);
        let head = head(&ada, Payload::Inline(b"hello".to_vec().into()));
        assert!(head.verify(&ada.key(), &Tag([9; 32])));
        assert!(!head.verify(&ada.key(), &Tag([8; 32])));
        assert!(!head.verify(&ben.key(), &Tag([9; 32])));
        let mut moved = head.clone();
        moved.claims.place = 3;
        assert!(!moved.verify(&ada.key(), &Tag([9; 32])));
        let mut swapped = head;
        swapped.payload = Payload::Inline(b"hullo".to_vec().into());
        assert!(!swapped.verify(&ada.key(), &Tag([9; 32])));
    }

    #[test]
    fn the_largest_inline_payload_fits_a_cell() {
        let ada = LeafKey::from_seed(&[1; 32]);
        let head = head(&ada, Payload::Inline(vec![0; SignedHead::INLINE_MAX].into()));
        assert_eq!(encode(&head).len(), CONTENT_MAX);
    }
}
