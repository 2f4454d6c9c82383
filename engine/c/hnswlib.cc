// The files of hnswlib.
#include "vicinal/c/hnswlib.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "engine/c/answer.h"
#include "engine/c/structs.h"
#include "vicinal/hnswlib.h"

using vicinal::HnswlibFile;
using vicinal::Result;
using vicinal::Status;
using vicinal::c_abi::answer;
using vicinal::c_abi::check_matrix;
using vicinal::c_abi::check_result;
using vicinal::c_abi::check_size;
using vicinal::c_abi::hand_out;
using vicinal::c_abi::require;
using vicinal::c_abi::require_array;

struct vicinal_hnswlib {
  HnswlibFile file;
};

vicinal_status vicinal_hnswlib_info_init(vicinal_hnswlib_info* info, size_t size) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(info, "info"));
    VICINAL_RETURN_IF_ERROR(check_size("vicinal_hnswlib_info", size));
    vicinal::c_abi::write_sized(info, size, vicinal_hnswlib_info());
    return {};
  });
}

vicinal_status vicinal_hnswlib_open(const char* path, uint32_t dimension, vicinal_hnswlib** file) {
  return hand_out(file, "file", [&](std::unique_ptr<vicinal_hnswlib>& made) -> Status {
    VICINAL_RETURN_IF_ERROR(require(path, "path"));
    vicinal::HnswlibOptions options;
    options.dimension = dimension;
    Result<HnswlibFile> opened = HnswlibFile::open(std::string(path), options);
    if (!opened) return opened.status();
    made.reset(new vicinal_hnswlib{*std::move(opened)});
    return {};
  });
}

vicinal_status vicinal_hnswlib_get_info(const vicinal_hnswlib* file, vicinal_hnswlib_info* info) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(file, "file", info, "info"));
    VICINAL_RETURN_IF_ERROR(check_result(info, "vicinal_hnswlib_info"));
    const vicinal::HnswlibInfo& from = file->file.info();
    vicinal_hnswlib_info told = {};
    told.dimension = from.dimension;
    told.brute_force = from.kind == vicinal::HnswlibKind::kBruteForce ? 1 : 0;
    told.rows = from.rows;
    told.deleted = from.deleted;
    told.capacity = from.capacity;
    told.M = from.M;
    told.ef_construction = from.ef_construction;
    told.element_bytes = from.element == vicinal::HnswlibElement::kFloat32 ? 4 : 1;
    told.normalized = from.metric == vicinal::Metric::kCosine ? 1 : 0;
    vicinal::c_abi::write_struct(info, told);
    return {};
  });
}

vicinal_status vicinal_hnswlib_read(const vicinal_hnswlib* file, uint64_t first, size_t count,
                                    size_t dimension, uint64_t* labels, float* vectors,
                                    uint8_t* deleted, size_t* read) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(file, "file", read, "read"));
    VICINAL_RETURN_IF_ERROR(require_array(labels, "labels", count));
    VICINAL_RETURN_IF_ERROR(require_array(vectors, "vectors", count));
    VICINAL_RETURN_IF_ERROR(require_array(deleted, "deleted", count));
    if (dimension != file->file.info().dimension) {
      return Status::invalid_argument("dimension " + std::to_string(dimension) + ", the file has " +
                                      std::to_string(file->file.info().dimension));
    }
    VICINAL_RETURN_IF_ERROR(check_matrix("vectors", count, dimension, sizeof(float)));
    vicinal::HnswlibRows rows;
    VICINAL_RETURN_IF_ERROR(file->file.read(first, count, rows));
    std::copy(rows.labels.begin(), rows.labels.end(), labels);
    std::copy(rows.values.begin(), rows.values.end(), vectors);
    std::copy(rows.deleted.begin(), rows.deleted.end(), deleted);
    *read = rows.labels.size();
    return {};
  });
}

void vicinal_hnswlib_free(vicinal_hnswlib* file) { delete file; }
