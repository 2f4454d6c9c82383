// The one macro of this room that hides a return: for calls whose Status is passed on as it is.
#pragma once

#include "vicinal/status.h"

#define VICINAL_RETURN_IF_ERROR(expression)                          \
  do {                                                               \
    ::vicinal::Status return_if_error_status = (expression);         \
    if (!return_if_error_status.ok()) return return_if_error_status; \
  } while (false)
