#include "engine/base/huge_pages.h"

#include <fstream>
#include <iterator>

namespace vicinal::internal {

bool huge_pages_refused(const std::string& setting) {
  std::ifstream file(setting);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text.empty() || text.find("[never]") != std::string::npos;
}

}  // namespace vicinal::internal
