// A local static, and an object that ends with the program: statics.sh must refuse both.
#include <vector>

struct Ends {
  ~Ends();
  std::vector<int> numbers{1};
};
Ends::~Ends() { numbers.push_back(2); }
Ends ends_with_the_program;

std::vector<int>& made_once() {
  static std::vector<int> numbers(3);
  return numbers;
}
