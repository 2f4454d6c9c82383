// The symbol that says how the library was built.
#include "vicinal/requirements.h"

extern "C" const char VICINAL_INTERNAL_LAYOUT = 0;
