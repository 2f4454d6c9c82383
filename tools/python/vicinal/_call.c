/* The two calls of which a program makes millions, one vector each: search and upsert. Through
   ctypes either costs several microseconds, most of it for the addresses of arrays; here they are
   taken by the buffer protocol. Written for the limited API of Python 3.11, so that one build
   serves that release and every later one.

   Both return None when the vector is anything but a one-dimensional, contiguous float32 array:
   the caller converts it and calls again. A failure comes back as the negative of its status;
   vicinal_last_message() has the words. */
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "_lend.h"

/* Takes a buffer of `object`; false without an exception when it is not one-dimensional,
   contiguous and of items that `format` describes. */
static bool take(PyObject* object, const char* format, int flags, Py_buffer* view) {
  if (PyObject_GetBuffer(object, view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS | flags) != 0) {
    PyErr_Clear();
    return false;
  }
  if (view->ndim == 1 && view->format != NULL && strcmp(view->format, format) == 0) return true;
  PyBuffer_Release(view);
  return false;
}

/* numpy's uint64 is the first C type of that size. */
#if ULONG_MAX == UINT64_MAX
static const char kUint64[] = "L";
#else
static const char kUint64[] = "Q";
#endif

/* search(index, query, ef_search, exact, label_set, labels, distances): `index` and `label_set` are
   addresses, 0 for no set, `exact` is a bool, the others arrays; the length of `labels` is k. */
static PyObject* search(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  (void)self;
  if (count != 7) {
    return PyErr_Format(PyExc_TypeError, "search() takes 7 arguments, not %zd", count);
  }
  const vicinal_index* index = PyLong_AsVoidPtr(arguments[0]);
  const size_t ef_search = PyLong_AsSize_t(arguments[2]);
  const bool exact = arguments[3] == Py_True;
  const vicinal_label_set* label_set = PyLong_AsVoidPtr(arguments[4]);
  if (PyErr_Occurred() != NULL) return NULL;
  if (!exact && arguments[3] != Py_False) {
    return PyErr_Format(PyExc_TypeError, "exact must be a bool");
  }
  vicinal_search_options options;
  const bool plain = ef_search == 0 && !exact && label_set == NULL;
  if (!plain) {
    vicinal_search_options_init(&options, sizeof options);
    options.ef_search = ef_search;
    options.exact = exact;
    options.labels = label_set;
  }
  Py_buffer query, labels, distances;
  if (!take(arguments[1], "f", 0, &query)) Py_RETURN_NONE;
  if (!take(arguments[5], kUint64, PyBUF_WRITABLE, &labels)) {
    PyBuffer_Release(&query);
    return PyErr_Format(PyExc_TypeError, "labels must be a writable uint64 array");
  }
  if (!take(arguments[6], "f", PyBUF_WRITABLE, &distances) ||
      distances.shape[0] != labels.shape[0]) {
    PyBuffer_Release(&query);
    PyBuffer_Release(&labels);
    return PyErr_Format(PyExc_TypeError, "distances must be a writable float32 array like labels");
  }
  size_t found = 0;
  vicinal_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = vicinal_index_search(index, query.buf, (size_t)query.shape[0], (size_t)labels.shape[0],
                                plain ? NULL : &options, labels.buf, distances.buf, &found, NULL);
  Py_END_ALLOW_THREADS;
  PyBuffer_Release(&query);
  PyBuffer_Release(&labels);
  PyBuffer_Release(&distances);
  return PyLong_FromLongLong(status == VICINAL_OK ? (long long)found : -(long long)status);
}

/* upsert(index, label, vector): `index` is an address. Answers what the upsert found, a
   vicinal_upsert_outcome. */
static PyObject* upsert(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  (void)self;
  if (count != 3)
    return PyErr_Format(PyExc_TypeError, "upsert() takes 3 arguments, not %zd", count);
  vicinal_index* index = PyLong_AsVoidPtr(arguments[0]);
  if (PyErr_Occurred() != NULL) return NULL;
  if (PyBool_Check(arguments[1])) return PyErr_Format(PyExc_TypeError, "a label is no bool");
  const uint64_t label = PyLong_AsUnsignedLongLong(arguments[1]);
  if (PyErr_Occurred() != NULL) return NULL;
  Py_buffer vector;
  if (!take(arguments[2], "f", 0, &vector)) Py_RETURN_NONE;
  vicinal_upsert_outcome outcome = VICINAL_INSERTED;
  vicinal_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = vicinal_index_upsert(index, label, vector.buf, (size_t)vector.shape[0], &outcome);
  Py_END_ALLOW_THREADS;
  PyBuffer_Release(&vector);
  return PyLong_FromLong(status == VICINAL_OK ? (long)outcome : -(long)status);
}

static PyMethodDef functions[] = {
    {"search", (PyCFunction)(void (*)(void))search, METH_FASTCALL, NULL},
    {"upsert", (PyCFunction)(void (*)(void))upsert, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "vicinal._call", NULL, 0, functions, NULL, NULL, NULL, NULL};

/* NOLINTNEXTLINE(readability-identifier-naming): Python looks for this name. */
PyMODINIT_FUNC PyInit__call(void) {
  PyObject* const made = PyModule_Create(&module);
  if (made != NULL &&
      (vicinal_python_add_lending(made) != 0 || vicinal_python_add_handle(made) != 0)) {
    Py_DECREF(made);
    return NULL;
  }
  return made;
}
