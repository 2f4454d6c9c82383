// What is built where libhdf5 is not installed.
#include "tools/matrix/hdf5.h"

namespace vicinal::matrix {

Result<RowLayout> hdf5_layout(InputFile& file, const Wanted&) {
  return file.malformed(0, "this build has no libhdf5 (Debian's libhdf5-dev), so HDF5 is not read");
}

}  // namespace vicinal::matrix
