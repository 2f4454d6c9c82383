/* Python's callables as the library's callbacks.

   The functions here take the GIL and call what was lent. An exception that comes out, of the callable or
   of a signal's handler that runs as it begins (before any `try` of Python's could stand), is kept, the
   first of a call, and the library is answered that it should end. So nothing is lost between the two,
   and nothing is left undefined.

   A Lender is of one call: lend() gives the context for a callable, take_error() what was raised. Events
   have no call: what they raise that is not for sys.unraisablehook is raised in the main thread. */
#include "_lend.h"

#include <stdbool.h>
#include <string.h>

typedef struct lent lent;

typedef struct {
  PyObject_HEAD;
  PyObject* error; /* the first, or NULL */
  lent* first;
  bool ends_at_exit;
} lender;

struct lent {
  lender* owner;
  PyObject* callable;
  lent* next;
};

static PyObject* exit_error = NULL; /* what calls that end at the exit raise, once it is near */
static PyObject* tell = NULL;       /* tell(context, event): NULL or an error for the hook */
static PyObject* forget = NULL;     /* forget(context), no function of Python's own */

/* What was raised, with its traceback; nothing is raised any more. */
static PyObject* taken_error(void) {
  PyObject *type = NULL, *value = NULL, *traceback = NULL;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (value != NULL && traceback != NULL) PyException_SetTraceback(value, traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  return value;
}

static void keep_error(lender* owner) {
  PyObject* const error = taken_error();
  if (owner->error == NULL) {
    owner->error = error;
  } else {
    Py_XDECREF(error);
  }
}

/* A new reference, or NULL where something was raised, now or before. Takes `arguments`. */
static PyObject* call(const lent* it, PyObject* arguments) {
  lender* const owner = it->owner;
  if (owner->error == NULL && owner->ends_at_exit && exit_error != NULL) {
    owner->error = Py_NewRef(exit_error);
  }
  PyObject* result = NULL;
  if (owner->error == NULL) {
    if (arguments != NULL) result = PyObject_Call(it->callable, arguments, NULL);
    if (result == NULL) keep_error(owner);
  } else if (arguments == NULL) {
    PyErr_Clear();
  }
  Py_XDECREF(arguments);
  return result;
}

/* Whether it answered something true. */
static bool call_bool(const lent* it, PyObject* arguments) {
  PyObject* const result = call(it, arguments);
  if (result == NULL) return false;
  const int truth = PyObject_IsTrue(result);
  if (truth < 0) keep_error(it->owner);
  Py_DECREF(result);
  return truth > 0;
}

/* -- What the library calls ------------------------------------------------------------------- */

static bool on_label(void* context, uint64_t label) {
  const PyGILState_STATE state = PyGILState_Ensure();
  const bool answer = call_bool(context, Py_BuildValue("(K)", (unsigned long long)label));
  PyGILState_Release(state);
  return answer;
}

static bool on_struct(void* context, const void* address) {
  const PyGILState_STATE state = PyGILState_Ensure();
  const bool answer = call_bool(context, Py_BuildValue("(N)", PyLong_FromVoidPtr((void*)address)));
  PyGILState_Release(state);
  return answer;
}

static bool on_text(void* context, const char* text) {
  const PyGILState_STATE state = PyGILState_Ensure();
  const bool answer = call_bool(context, Py_BuildValue("(y)", text));
  PyGILState_Release(state);
  return answer;
}

static bool on_vector(void* context, uint64_t label, const float* vector, size_t dimension) {
  const PyGILState_STATE state = PyGILState_Ensure();
  const bool answer =
      call_bool(context, Py_BuildValue("(KNn)", (unsigned long long)label,
                                       PyLong_FromVoidPtr((void*)vector), (Py_ssize_t)dimension));
  PyGILState_Release(state);
  return answer;
}

static vicinal_status on_bytes(void* context, const void* bytes, size_t count) {
  const PyGILState_STATE state = PyGILState_Ensure();
  PyObject* const result = call(context, Py_BuildValue("(y#)", bytes, (Py_ssize_t)count));
  const vicinal_status status = result == NULL ? VICINAL_CANCELLED : VICINAL_OK;
  Py_XDECREF(result);
  PyGILState_Release(state);
  return status;
}

/* The bytes of what it answered, into `room`. */
static bool copy_bytes(PyObject* answer, void* room, size_t capacity, size_t* count) {
  Py_buffer view;
  if (PyObject_GetBuffer(answer, &view, PyBUF_SIMPLE) != 0) return false;
  const bool fits = (size_t)view.len <= capacity;
  if (fits) {
    memcpy(room, view.buf, (size_t)view.len);
    *count = (size_t)view.len;
  } else {
    PyErr_Format(PyExc_ValueError, "read(%zu) answered %zd bytes", capacity, view.len);
  }
  PyBuffer_Release(&view);
  return fits;
}

static vicinal_status on_room(void* context, void* room, size_t capacity, size_t* count) {
  const PyGILState_STATE state = PyGILState_Ensure();
  const lent* const it = context;
  PyObject* const result = call(it, Py_BuildValue("(n)", (Py_ssize_t)capacity));
  bool copied = false;
  if (result != NULL) {
    copied = copy_bytes(result, room, capacity, count);
    if (!copied) keep_error(it->owner);
    Py_DECREF(result);
  }
  PyGILState_Release(state);
  return copied ? VICINAL_OK : VICINAL_CANCELLED;
}

static int raise_in_main_thread(void* error) {
  PyErr_SetObject((PyObject*)Py_TYPE((PyObject*)error), error);
  Py_DECREF((PyObject*)error);
  return -1;
}

/* What came out of tell(): an interrupt, or what a signal's handler raised as it began. */
static void raise_later(void) {
  PyObject* const error = taken_error();
  if (error != NULL && Py_AddPendingCall(raise_in_main_thread, error) != 0) Py_DECREF(error);
}

static void on_event(void* context, const vicinal_event* event) {
  if (!Py_IsInitialized()) return;
  const PyGILState_STATE state = PyGILState_Ensure();
  PyObject* const result = PyObject_CallFunction(tell, "NN", PyLong_FromVoidPtr(context),
                                                 PyLong_FromVoidPtr((void*)event));
  if (result == NULL) {
    raise_later();
  } else if (result != Py_None) {
    PyErr_SetObject((PyObject*)Py_TYPE(result), result);
    PyErr_WriteUnraisable(tell);
  }
  Py_XDECREF(result);
  PyGILState_Release(state);
}

static void on_release(void* context) {
  if (!Py_IsInitialized()) return;
  const PyGILState_STATE state = PyGILState_Ensure();
  PyObject* const result = PyObject_CallFunction(forget, "N", PyLong_FromVoidPtr(context));
  if (result == NULL) PyErr_WriteUnraisable(forget);
  Py_XDECREF(result);
  PyGILState_Release(state);
}

/* -- Lender ----------------------------------------------------------------------------------- */

static PyObject* lend(PyObject* self, PyObject* callable) {
  lender* const owner = (lender*)self;
  lent* const it = PyMem_Malloc(sizeof *it);
  if (it == NULL) return PyErr_NoMemory();
  *it = (lent){owner, Py_NewRef(callable), owner->first};
  owner->first = it;
  return PyLong_FromVoidPtr(it);
}

static PyObject* take_error(PyObject* self, PyObject* nothing) {
  (void)nothing;
  lender* const owner = (lender*)self;
  PyObject* const error = owner->error;
  owner->error = NULL;
  if (error == NULL) Py_RETURN_NONE;
  return error;
}

static PyObject* end_at_exit(PyObject* self, PyObject* nothing) {
  (void)nothing;
  ((lender*)self)->ends_at_exit = true;
  Py_RETURN_NONE;
}

static int traverse(PyObject* self, visitproc visit, void* arg) {
  lender* const owner = (lender*)self;
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(owner->error);
  for (const lent* it = owner->first; it != NULL; it = it->next) Py_VISIT(it->callable);
  return 0;
}

/* Nobody is inside the call any more: who is holds the lender. */
static int clear(PyObject* self) {
  lender* const owner = (lender*)self;
  Py_CLEAR(owner->error);
  while (owner->first != NULL) {
    lent* const it = owner->first;
    owner->first = it->next;
    Py_DECREF(it->callable);
    PyMem_Free(it);
  }
  return 0;
}

static void dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  clear(self);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

static PyMethodDef lender_methods[] = {{"lend", lend, METH_O, NULL},
                                       {"take_error", take_error, METH_NOARGS, NULL},
                                       {"end_at_exit", end_at_exit, METH_NOARGS, NULL},
                                       {NULL, NULL, 0, NULL}};

static PyType_Slot lender_slots[] = {{Py_tp_new, PyType_GenericNew},  {Py_tp_dealloc, dealloc},
                                     {Py_tp_traverse, traverse},      {Py_tp_clear, clear},
                                     {Py_tp_methods, lender_methods}, {0, NULL}};

static PyType_Spec lender_spec = {"vicinal._call.Lender", sizeof(lender), 0,
                                  Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, lender_slots};

/* -- The module's ----------------------------------------------------------------------------- */

static void set(PyObject** place, PyObject* object) {
  PyObject* const before = *place;
  *place = Py_NewRef(object);
  Py_XDECREF(before);
}

static PyObject* set_exit_error(PyObject* self, PyObject* error) {
  (void)self;
  set(&exit_error, error);
  Py_RETURN_NONE;
}

static PyObject* set_event_functions(PyObject* self, PyObject* arguments) {
  (void)self;
  PyObject *telling = NULL, *forgetting = NULL;
  if (!PyArg_ParseTuple(arguments, "OO", &telling, &forgetting)) return NULL;
  set(&tell, telling);
  set(&forget, forgetting);
  Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"set_exit_error", set_exit_error, METH_O, NULL},
                                  {"set_event_functions", set_event_functions, METH_VARARGS, NULL},
                                  {NULL, NULL, 0, NULL}};

static int add_address(PyObject* module, const char* name, void (*function)(void)) {
  void* address = NULL;
  memcpy(&address, &function, sizeof address);
  PyObject* const number = PyLong_FromVoidPtr(address);
  const int failed = number == NULL ? -1 : PyModule_AddObjectRef(module, name, number);
  Py_XDECREF(number);
  return failed;
}

int vicinal_python_add_lending(PyObject* module) {
  PyObject* const type = PyType_FromSpec(&lender_spec);
  if (type == NULL) return -1;
  const int failed = PyModule_AddObjectRef(module, "Lender", type);
  Py_DECREF(type);
  if (failed != 0 || PyModule_AddFunctions(module, functions) != 0) return -1;
  const struct {
    const char* name;
    void (*function)(void);
  } all[] = {
      {"on_label", (void (*)(void))on_label}, {"on_struct", (void (*)(void))on_struct},
      {"on_text", (void (*)(void))on_text},   {"on_vector", (void (*)(void))on_vector},
      {"on_bytes", (void (*)(void))on_bytes}, {"on_room", (void (*)(void))on_room},
      {"on_event", (void (*)(void))on_event}, {"on_release", (void (*)(void))on_release},
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
    if (add_address(module, all[i].name, all[i].function) != 0) return -1;
  }
  return 0;
}
