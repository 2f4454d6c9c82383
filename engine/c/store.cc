// Stores.
#include "vicinal/c/store.h"

#include <algorithm>
#include <memory>
#include <span>

#include "engine/c/answer.h"
#include "engine/c/convert.h"
#include "engine/c/handles.h"

using vicinal::Index;
using vicinal::IndexOptions;
using vicinal::Result;
using vicinal::Status;
using vicinal::Store;
using vicinal::c_abi::answer;
using vicinal::c_abi::hand_out;
using vicinal::c_abi::require;

namespace {

/// Writes the value of `result` to `*written` (null: nothing).
template <typename T, typename U>
Status write(const Result<T>& result, U* written) {
  if (!result) return result.status();
  if (written != nullptr) *written = result.value();
  return {};
}

/// Gives the caller a handle of the index that `open` opens.
template <typename Open>
vicinal_status opened(vicinal_store* store, const char* name, const vicinal_index_options* options,
                      vicinal_index** index, const Open& open) {
  return hand_out(index, "index", [&](std::unique_ptr<vicinal_index>& handle) -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store", name, "name"));
    Result<IndexOptions> read = vicinal::c_abi::read_index_options(options);
    if (!read) return read.status();
    Result<Index> found = open(store->store, *read);
    if (!found) return found.status();
    handle = std::make_unique<vicinal_index>(*std::move(found));
    return {};
  });
}

}  // namespace

vicinal_status vicinal_store_open(const char* path, const vicinal_store_options* options,
                                  vicinal_store** store) {
  return hand_out(store, "store", [&](std::unique_ptr<vicinal_store>& handle) -> Status {
    VICINAL_RETURN_IF_ERROR(require(path, "path"));
    const Result<vicinal::StoreOptions> read = vicinal::c_abi::read_store_options(options);
    if (!read) return read.status();
    Result<Store> made = Store::open(path, read.value());
    if (!made) return made.status();
    handle = std::make_unique<vicinal_store>(*std::move(made));
    return {};
  });
}

vicinal_status vicinal_store_close(vicinal_store* store) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store"));
    return store->store.close();
  });
}

void vicinal_store_free(vicinal_store* store) { delete store; }

vicinal_status vicinal_store_convert(const char* path, bool* converted) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(path, "path"));
    return write(Store::convert(path), converted);
  });
}

const char* vicinal_store_path(const vicinal_store* store) {
  return store == nullptr ? nullptr : store->store.path().c_str();
}

vicinal_status vicinal_store_index(vicinal_store* store, const char* name,
                                   const vicinal_index_options* options, vicinal_index** index) {
  return opened(store, name, options, index,
                [&](Store& s, const IndexOptions& o) { return s.index(name, o); });
}

vicinal_status vicinal_store_open_index(vicinal_store* store, const char* name,
                                        const vicinal_index_options* tuning,
                                        vicinal_index** index) {
  return opened(store, name, tuning, index,
                [&](Store& s, const IndexOptions& o) { return s.open_index(name, o); });
}

vicinal_status vicinal_store_for_each_index_name(const vicinal_store* store,
                                                 vicinal_text_visitor visit, void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store", visit, "visit"));
    const Result<std::vector<std::string>> names = store->store.index_names();
    if (!names) return names.status();
    for (const std::string& name : names.value()) {
      if (!visit(context, name.c_str())) break;
    }
    return {};
  });
}

vicinal_status vicinal_store_stored_vectors(const vicinal_store* store, const char* name,
                                            const uint64_t* labels, size_t count, size_t dimension,
                                            float* vectors, bool* live) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store", name, "name"));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::require_array(labels, "labels", count));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_matrix("labels", count, 1, sizeof *labels));
    VICINAL_RETURN_IF_ERROR(
        vicinal::c_abi::check_matrix("vectors", count, dimension, sizeof *vectors));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::require_array(vectors, "vectors", count * dimension));
    const Result<std::vector<std::vector<float>>> stored =
        store->store.stored_vectors(name, std::span(labels, count));
    if (!stored) return stored.status();
    for (const std::vector<float>& vector : stored.value()) {
      if (!vector.empty() && vector.size() != dimension) {
        return Status::invalid_argument("dimension " + std::to_string(dimension) + ", index has " +
                                        std::to_string(vector.size()));
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<float>& vector = stored.value()[i];
      float* const row = vectors + i * dimension;
      std::fill(std::copy(vector.begin(), vector.end(), row), row + dimension, 0.0F);
      if (live != nullptr) live[i] = !vector.empty();
    }
    return {};
  });
}

vicinal_status vicinal_store_drop_index(vicinal_store* store, const char* name) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store", name, "name"));
    return store->store.drop_index(name);
  });
}

vicinal_status vicinal_store_checkpoint(vicinal_store* store) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store"));
    return store->store.checkpoint();
  });
}

vicinal_status vicinal_store_sync(vicinal_store* store) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store"));
    return store->store.sync();
  });
}

vicinal_status vicinal_store_backup(const vicinal_store* store, const char* path) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store", path, "path"));
    return store->store.backup(path);
  });
}

vicinal_status vicinal_store_verify_records(const vicinal_store* store, vicinal_text_visitor visit,
                                            void* context, uint64_t* failed) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store", failed, "failed"));
    std::vector<std::string> messages;
    VICINAL_RETURN_IF_ERROR(
        write(store->store.verify_records(visit == nullptr ? nullptr : &messages), failed));
    for (const std::string& message : messages) {
      if (!visit(context, message.c_str())) break;
    }
    return {};
  });
}

vicinal_status vicinal_store_for_each_journal_entry(const vicinal_store* store, const char* name,
                                                    vicinal_text_visitor visit, void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store", name, "name", visit, "visit"));
    return store->store.for_each_journal_entry(
        name, [&](const std::string& json) { return visit(context, json.c_str()); });
  });
}
