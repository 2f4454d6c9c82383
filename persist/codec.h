// The codec: the payloads of records, to bytes and back. The only user of cereal.
//
// One encoder and one decoder per record. Encoders return a RecordBuffer whose first kEnvelopeBytes
// are room for the envelope (envelope.h). Decoders take a payload whose checksum was verified, and
// still believe nothing: reading past the end, a length greater than the bytes that are left, a
// value out of range and bytes left over are kCorruption. No exception leaves this file except
// std::bad_alloc; what a decoder allocates is bounded by eight times the payload.
// Ownership: decoded records own what they hold; the payload may go.
// Threads: pure functions.
#pragma once

#include <cstdint>

#include "graph/types.h"
#include "persist/envelope.h"
#include "persist/flat_links.h"
#include "persist/operations.h"
#include "persist/records.h"
#include "vicinal/status.h"

namespace vicinal::persist {

RecordBuffer encode(const StoreRecord& record);
RecordBuffer encode(const CatalogEntry& record);
RecordBuffer encode(const OptionsRecord& record);
RecordBuffer encode(const StateRecord& record);
RecordBuffer encode(const TailRecord& record);
RecordBuffer encode(const NodeBlock& block);
RecordBuffer encode(const LinkGroup& group);
/// Any kind but kBatch; `storage` of the index.
RecordBuffer encode(const Operation& operation, Storage storage = Storage::kFloat32);
RecordBuffer encode(const BatchView& batch);

Status decode(Bytes payload, StoreRecord* record);
Status decode(Bytes payload, CatalogEntry* record);
Status decode(Bytes payload, OptionsRecord* record);
Status decode(Bytes payload, StateRecord* record);
Status decode(Bytes payload, TailRecord* record);
Status decode(Bytes payload, NodeBlock* block);
Status decode(Bytes payload, LinkGroup* group);
/// Appends the links of the group whose first node is `first`; appends nothing on an error.
Status decode(Bytes payload, graph::NodeId first, FlatLinks* links);
/// `row`: of the index; a row of another length is kCorruption.
Status decode(Bytes payload, const graph::RowShape& row, JournalEntry* entry);
/// Only the kind of an entry, for scans that skip rows.
Status decode_kind(Bytes payload, OperationKind* kind);

}  // namespace vicinal::persist
