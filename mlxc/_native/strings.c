/* Lists of strings in a GGUF file: each a length of 8 bytes, little-endian, and that many bytes.
 * A vocabulary has half a million of them, so this is most of what opening such a file costs. */
#include "handle_type.h"

static uint64_t length_at(const unsigned char* bytes) {
  uint64_t length = 0;
  for (int i = 8; i-- > 0;) {
    length = length << 8 | bytes[i];
  }
  return length;
}

PyObject* mlxc_end_of_strings(PyObject* module, PyObject* args) {
  (void)module;
  Py_buffer data;
  Py_ssize_t at, count;
  if (!PyArg_ParseTuple(args, "y*nn:end_of_strings", &data, &at, &count)) {
    return NULL;
  }
  uint64_t size = (uint64_t)data.len, end = (uint64_t)at;
  for (; count > 0 && end <= size; count--) {
    uint64_t length = size - end < 8 ? 0 : length_at((const unsigned char*)data.buf + end);
    end += 8;
    end = length > UINT64_MAX - end ? UINT64_MAX : end + length;
  }
  PyBuffer_Release(&data);
  return PyLong_FromUnsignedLongLong(end);
}

PyObject* mlxc_strings(PyObject* module, PyObject* args) {
  (void)module;
  Py_buffer data;
  Py_ssize_t at, count;
  if (!PyArg_ParseTuple(args, "y*nn:strings", &data, &at, &count)) {
    return NULL;
  }
  const char* bytes = data.buf;
  PyObject* list = PyList_New(0);
  for (; list != NULL && count > 0; count--) {
    uint64_t left = (uint64_t)(data.len - at);
    uint64_t length = left < 8 ? 0 : length_at((const unsigned char*)bytes + at);
    PyObject* text = NULL;
    if (left < 8 || length > left - 8) {
      PyErr_SetString(PyExc_ValueError, "a string ends behind the data");
    } else {
      text = PyUnicode_DecodeUTF8(bytes + at + 8, (Py_ssize_t)length, NULL);
      at += 8 + (Py_ssize_t)length;
    }
    if (text == NULL || PyList_Append(list, text) < 0) {
      Py_CLEAR(list);
    }
    Py_XDECREF(text);
  }
  PyBuffer_Release(&data);
  return list == NULL ? NULL : Py_BuildValue("Nn", list, at);
}
