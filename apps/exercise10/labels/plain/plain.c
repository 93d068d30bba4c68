/* plain(text): a text in letters that every label printer has: "Zürich" becomes "Zurich". */
#define Py_LIMITED_API 0x030b0000 /* one compiled file for this Python and all that follow */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <iconv.h>

static PyObject *plain(PyObject *self, PyObject *args)
{
    char *text, out[1024], *end = out;
    Py_ssize_t length;
    size_t left, room = sizeof out;

    if (!PyArg_ParseTuple(args, "s#", &text, &length))
        return NULL;
    iconv_t printer = iconv_open("ASCII//TRANSLIT", "UTF-8");
    if (printer == (iconv_t)-1)
        return PyErr_SetFromErrno(PyExc_OSError);
    left = (size_t)length;
    size_t failed = iconv(printer, &text, &left, &end, &room);
    iconv_close(printer);
    if (failed == (size_t)-1)
        return PyErr_SetFromErrno(PyExc_ValueError);
    return PyUnicode_DecodeASCII(out, end - out, "strict");
}

static PyMethodDef methods[] = {
    {"plain", plain, METH_VARARGS, "A text in the letters of ASCII."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "plain", NULL, -1, methods};

PyMODINIT_FUNC PyInit_plain(void)
{
    return PyModule_Create(&module);
}
