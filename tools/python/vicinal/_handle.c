/* Handle: owns one of the library's handles.

   In C, and not by a __del__ of Python's: as that begins a signal's handler may raise, and what it was to
   free would be nobody's. The library writes a handle into its place here, so that it is owned from then
   on, whatever is raised as the call returns. */
#include <string.h>

#include "_lend.h"

typedef void (*free_function)(void*);

typedef struct {
  PyObject_HEAD;
  void* place;        /* where the library writes the handle; NULL: none */
  free_function free; /* of the library */
  PyObject* keeps;    /* a handle that this one needs, or NULL */
} handle;

/* What may run is what the library calls: events. */
static void free_place(handle* self) {
  void* const place = self->place;
  self->place = NULL;
  if (place == NULL) return;
  PyObject *type = NULL, *value = NULL, *traceback = NULL;
  PyErr_Fetch(&type, &value, &traceback);
  Py_BEGIN_ALLOW_THREADS;
  self->free(place);
  Py_END_ALLOW_THREADS;
  PyErr_Restore(type, value, traceback);
}

static int init(PyObject* self, PyObject* arguments, PyObject* named) {
  PyObject *address = NULL, *keeps = Py_None;
  static char free_name[] = "free", keeps_name[] = "keeps";
  static char* names[] = {free_name, keeps_name, NULL};
  if (!PyArg_ParseTupleAndKeywords(arguments, named, "O|O", names, &address, &keeps)) return -1;
  void* const function = PyLong_AsVoidPtr(address);
  if (PyErr_Occurred() != NULL) return -1;
  handle* const it = (handle*)self;
  memcpy(&it->free, &function, sizeof function);
  PyObject* const before = it->keeps;
  it->keeps = keeps == Py_None ? NULL : Py_NewRef(keeps);
  Py_XDECREF(before);
  return 0;
}

static void dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  handle* const it = (handle*)self;
  free_place(it);
  Py_CLEAR(it->keeps);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

static PyObject* free_now(PyObject* self, PyObject* nothing) {
  (void)nothing;
  free_place((handle*)self);
  Py_RETURN_NONE;
}

static PyObject* get_address(PyObject* self, void* unused) {
  (void)unused;
  void* const place = ((handle*)self)->place;
  if (place == NULL) Py_RETURN_NONE;
  return PyLong_FromVoidPtr(place);
}

static PyObject* get_place(PyObject* self, void* unused) {
  (void)unused;
  return PyLong_FromVoidPtr(&((handle*)self)->place);
}

static PyMethodDef methods[] = {{"free", free_now, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyGetSetDef attributes[] = {{"address", get_address, NULL, NULL, NULL},
                                   {"place", get_place, NULL, NULL, NULL},
                                   {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot slots[] = {{Py_tp_new, PyType_GenericNew}, {Py_tp_init, init},
                              {Py_tp_dealloc, dealloc},       {Py_tp_methods, methods},
                              {Py_tp_getset, attributes},     {0, NULL}};

static PyType_Spec spec = {"vicinal._call.Handle", sizeof(handle), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

int vicinal_python_add_handle(PyObject* module) {
  PyObject* const type = PyType_FromSpec(&spec);
  if (type == NULL) return -1;
  const int failed = PyModule_AddObjectRef(module, "Handle", type);
  Py_DECREF(type);
  return failed;
}
