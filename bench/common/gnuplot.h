// Drawing SVG plots with gnuplot, which the benches' scripts install.
#pragma once

#include <string>

#include "vicinal/status.h"

namespace vicinal::bench {

/// A gnuplot string in single quotes.
std::string quoted(const std::string& text);

/// Runs `script`, whose output is the file `path`.
/// Errors: kNotFound without gnuplot; kIoError when it fails.
Status run_gnuplot(const std::string& script, const std::string& path);

}  // namespace vicinal::bench
