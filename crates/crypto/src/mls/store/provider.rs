//! OpenMLS's storage trait over [`Store`]: one line per method wherever the method only moves a value.

use super::{Store, StoreFault, decode, encode};
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::de::DeserializeOwned;

type Encoded = Vec<u8>;

macro_rules! write {
    ($method:ident [$($param:ident: $bound:ident),+] $label:literal) => {
        fn $method<$($param: traits::$bound<CURRENT_VERSION>),+>(
            &self,
            key: &K,
            value: &V,
        ) -> Result<(), StoreFault> {
            self.write($label, key, value)
        }
    };
}

macro_rules! read {
    ($method:ident [$($param:ident: $bound:ident),+] $label:literal) => {
        fn $method<$($param: traits::$bound<CURRENT_VERSION>),+>(
            &self,
            key: &K,
        ) -> Result<Option<V>, StoreFault> {
            self.read($label, key)
        }
    };
}

macro_rules! delete {
    ($method:ident [$($param:ident: $bound:ident),+] $label:literal) => {
        fn $method<$($param: traits::$bound<CURRENT_VERSION>),+>(
            &self,
            key: &K,
        ) -> Result<(), StoreFault> {
            self.delete($label, key)
        }
    };
}

impl StorageProvider<CURRENT_VERSION> for Store {
    type Error = StoreFault;

    write!(write_mls_join_config [K: GroupId, V: MlsGroupJoinConfig] "join config");
    read!(mls_group_join_config [K: GroupId, V: MlsGroupJoinConfig] "join config");
    delete!(delete_group_config [K: GroupId] "join config");

    write!(write_tree [K: GroupId, V: TreeSync] "tree");
    read!(tree [K: GroupId, V: TreeSync] "tree");
    delete!(delete_tree [K: GroupId] "tree");

    write!(write_interim_transcript_hash [K: GroupId, V: InterimTranscriptHash] "transcript hash");
    read!(interim_transcript_hash [K: GroupId, V: InterimTranscriptHash] "transcript hash");
    delete!(delete_interim_transcript_hash [K: GroupId] "transcript hash");

    write!(write_context [K: GroupId, V: GroupContext] "context");
    read!(group_context [K: GroupId, V: GroupContext] "context");
    delete!(delete_context [K: GroupId] "context");

    write!(write_confirmation_tag [K: GroupId, V: ConfirmationTag] "confirmation tag");
    read!(confirmation_tag [K: GroupId, V: ConfirmationTag] "confirmation tag");
    delete!(delete_confirmation_tag [K: GroupId] "confirmation tag");

    write!(write_group_state [V: GroupState, K: GroupId] "state");
    read!(group_state [V: GroupState, K: GroupId] "state");
    delete!(delete_group_state [K: GroupId] "state");

    write!(write_message_secrets [K: GroupId, V: MessageSecrets] "message secrets");
    read!(message_secrets [K: GroupId, V: MessageSecrets] "message secrets");
    delete!(delete_message_secrets [K: GroupId] "message secrets");

    write!(write_resumption_psk_store [K: GroupId, V: ResumptionPskStore] "resumption");
    read!(resumption_psk_store [K: GroupId, V: ResumptionPskStore] "resumption");
    delete!(delete_all_resumption_psk_secrets [K: GroupId] "resumption");

    write!(write_own_leaf_index [K: GroupId, V: LeafNodeIndex] "own leaf");
    read!(own_leaf_index [K: GroupId, V: LeafNodeIndex] "own leaf");
    delete!(delete_own_leaf_index [K: GroupId] "own leaf");

    write!(write_group_epoch_secrets [K: GroupId, V: GroupEpochSecrets] "epoch secrets");
    read!(group_epoch_secrets [K: GroupId, V: GroupEpochSecrets] "epoch secrets");
    delete!(delete_group_epoch_secrets [K: GroupId] "epoch secrets");

    write!(write_application_export_tree [K: GroupId, V: ApplicationExportTree] "export tree");
    read!(application_export_tree [K: GroupId, V: ApplicationExportTree] "export tree");
    delete!(delete_application_export_tree [K: GroupId, V: ApplicationExportTree] "export tree");

    write!(write_signature_key_pair [K: SignaturePublicKey, V: SignatureKeyPair] "signature key");
    read!(signature_key_pair [K: SignaturePublicKey, V: SignatureKeyPair] "signature key");
    delete!(delete_signature_key_pair [K: SignaturePublicKey] "signature key");

    write!(write_encryption_key_pair [K: EncryptionKey, V: HpkeKeyPair] "leaf key");
    read!(encryption_key_pair [V: HpkeKeyPair, K: EncryptionKey] "leaf key");
    delete!(delete_encryption_key_pair [K: EncryptionKey] "leaf key");

    write!(write_key_package [K: HashReference, V: KeyPackage] "key package");
    read!(key_package [K: HashReference, V: KeyPackage] "key package");
    delete!(delete_key_package [K: HashReference] "key package");

    write!(write_psk [K: PskId, V: PskBundle] "psk");
    read!(psk [V: PskBundle, K: PskId] "psk");
    delete!(delete_psk [K: PskId] "psk");

    fn write_encryption_epoch_key_pairs<
        K: traits::GroupId<CURRENT_VERSION>,
        E: traits::EpochKey<CURRENT_VERSION>,
        V: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group: &K,
        epoch: &E,
        leaf: u32,
        pairs: &[V],
    ) -> Result<(), StoreFault> {
        self.write("epoch keys", &(group, epoch, leaf), pairs)
    }

    fn encryption_epoch_key_pairs<
        K: traits::GroupId<CURRENT_VERSION>,
        E: traits::EpochKey<CURRENT_VERSION>,
        V: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group: &K,
        epoch: &E,
        leaf: u32,
    ) -> Result<Vec<V>, StoreFault> {
        Ok(self.read("epoch keys", &(group, epoch, leaf))?.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<
        K: traits::GroupId<CURRENT_VERSION>,
        E: traits::EpochKey<CURRENT_VERSION>,
    >(
        &self,
        group: &K,
        epoch: &E,
        leaf: u32,
    ) -> Result<(), StoreFault> {
        self.delete("epoch keys", &(group, epoch, leaf))
    }

    fn append_own_leaf_node<
        K: traits::GroupId<CURRENT_VERSION>,
        V: traits::LeafNode<CURRENT_VERSION>,
    >(
        &self,
        group: &K,
        leaf_node: &V,
    ) -> Result<(), StoreFault> {
        let mut nodes: Vec<Encoded> = self.read("own nodes", group)?.unwrap_or_default();
        nodes.push(encode(leaf_node)?);
        self.write("own nodes", group, &nodes)
    }

    fn own_leaf_nodes<K: traits::GroupId<CURRENT_VERSION>, V: traits::LeafNode<CURRENT_VERSION>>(
        &self,
        group: &K,
    ) -> Result<Vec<V>, StoreFault> {
        let nodes: Vec<Encoded> = self.read("own nodes", group)?.unwrap_or_default();
        nodes.iter().map(|node| decode(node)).collect()
    }

    delete!(delete_own_leaf_nodes [K: GroupId] "own nodes");

    // Undertone queues no proposals; these serve OpenMLS's own bookkeeping of an empty queue.

    fn queue_proposal<
        K: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
        P: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        group: &K,
        reference: &R,
        proposal: &P,
    ) -> Result<(), StoreFault> {
        let mut queue = self.proposals(group)?;
        queue.push((encode(reference)?, encode(proposal)?));
        self.write("proposals", group, &queue)
    }

    fn queued_proposal_refs<
        K: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        group: &K,
    ) -> Result<Vec<R>, StoreFault> {
        self.proposals(group)?.iter().map(|(reference, _)| decode(reference)).collect()
    }

    fn queued_proposals<
        K: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
        P: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        group: &K,
    ) -> Result<Vec<(R, P)>, StoreFault> {
        self.proposals(group)?.iter().map(decode_both).collect()
    }

    fn remove_proposal<
        K: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        group: &K,
        reference: &R,
    ) -> Result<(), StoreFault> {
        let gone = encode(reference)?;
        let mut queue = self.proposals(group)?;
        queue.retain(|(reference, _)| *reference != gone);
        self.write("proposals", group, &queue)
    }

    delete!(clear_proposal_queue [K: GroupId, R: ProposalRef] "proposals");
}

impl Store {
    fn proposals<K: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group: &K,
    ) -> Result<Vec<(Encoded, Encoded)>, StoreFault> {
        Ok(self.read("proposals", group)?.unwrap_or_default())
    }
}

fn decode_both<A: DeserializeOwned, B: DeserializeOwned>(
    pair: &(Encoded, Encoded),
) -> Result<(A, B), StoreFault> {
    Ok((decode(&pair.0)?, decode(&pair.1)?))
}
