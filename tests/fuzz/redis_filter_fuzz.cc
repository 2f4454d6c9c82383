// Fuzz target: an expression, a zero byte, attributes. Either it is refused with a place inside the
// expression, or it runs and gives the same answer again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/script_reader.h"
#include "tools/redis/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using vicinal::fuzz::expect;
  using vicinal::redis::Filter;
  using vicinal::redis::FilterError;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = input.find('\0');
  const std::string_view expression = input.substr(0, zero);
  const std::string_view json = zero == std::string_view::npos ? "{}" : input.substr(zero + 1);
  try {
    const Filter filter = Filter::compile(expression);
    expect(filter.matches(json) == filter.matches(json), "an answer is the same again");
  } catch (const FilterError& error) {
    expect(error.position() <= expression.size(), "a place lies inside the expression");
  }
  return 0;
}
