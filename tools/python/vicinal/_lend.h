/* What _lend.c and _handle.c give the module. */
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <vicinal.h>

/* Adds Lender, the addresses of the functions, and what is said of the exit and of events. */
int vicinal_python_add_lending(PyObject* module);
/* Adds Handle. */
int vicinal_python_add_handle(PyObject* module);
