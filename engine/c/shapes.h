// What a caller says of his vectors, against the index.
#pragma once

#include <string>

#include "engine/c/answer.h"
#include "vicinal/index.h"
#include "vicinal/status.h"

namespace vicinal::c_abi {

inline Status check_dimension(const Index& index, std::size_t dimension) {
  if (dimension == index.dimension()) return {};
  return Status::invalid_argument("dimension " + std::to_string(dimension) + ", index has " +
                                  std::to_string(index.dimension()));
}

/// A matrix of `rows` vectors that an index can have; of no rows the dimension does not matter.
inline Status check_rows(const Index& index, const char* name, std::size_t rows,
                         std::size_t dimension) {
  if (rows == 0) return {};
  VICINAL_RETURN_IF_ERROR(check_dimension(index, dimension));
  return check_matrix(name, rows, dimension, sizeof(float));
}

}  // namespace vicinal::c_abi
