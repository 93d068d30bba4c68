/* rows(text): the QR code of a text as a list of bytes, one for each row; 1 is dark, 0 is light. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <qrencode.h>

static PyObject *rows_of(const QRcode *code)
{
    PyObject *rows = PyList_New(code->width);
    char row[177]; /* the largest QR code has 177 rows (ISO/IEC 18004) */

    for (int y = 0; rows && y < code->width; y++) {
        for (int x = 0; x < code->width; x++)
            row[x] = code->data[y * code->width + x] & 1;
        PyObject *made = PyBytes_FromStringAndSize(row, code->width);
        if (!made) {
            Py_CLEAR(rows);
            break;
        }
        PyList_SET_ITEM(rows, y, made);
    }
    return rows;
}

static PyObject *rows(PyObject *self, PyObject *args)
{
    const char *text;

    if (!PyArg_ParseTuple(args, "s", &text))
        return NULL;
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    if (!code)
        return PyErr_SetFromErrno(PyExc_ValueError);
    PyObject *found = rows_of(code);
    QRcode_free(code);
    return found;
}

static PyMethodDef methods[] = {
    {"rows", rows, METH_VARARGS, "Rows of the QR code of a text."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "qr", NULL, -1, methods};

PyMODINIT_FUNC PyInit_qr(void)
{
    return PyModule_Create(&module);
}
