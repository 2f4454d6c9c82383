// What is built where libzip is not installed.
#include "tools/matrix/formats.h"

namespace vicinal::matrix {

Result<RowLayout> npz_layout(InputFile& file, const Wanted&) {
  return file.malformed(0, "this build has no libzip (Debian's libzip-dev), so npz is not read");
}

}  // namespace vicinal::matrix
