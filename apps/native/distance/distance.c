/* distance(a, b): how many single-character edits turn one word into the other (Levenshtein 1966). */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define LONGEST 256

static Py_ssize_t smallest(Py_ssize_t a, Py_ssize_t b, Py_ssize_t c)
{
    Py_ssize_t least = a < b ? a : b;
    return least < c ? least : c;
}

static PyObject *distance(PyObject *self, PyObject *args)
{
    PyObject *first, *second;
    Py_ssize_t row[LONGEST + 1];

    if (!PyArg_ParseTuple(args, "UU", &first, &second))
        return NULL;
    Py_ssize_t rows = PyUnicode_GET_LENGTH(first), columns = PyUnicode_GET_LENGTH(second);
    if (rows > LONGEST || columns > LONGEST)
        return PyErr_Format(PyExc_ValueError, "words have at most %d characters", LONGEST);

    /* One row of the table at a time: row[j] is the distance of the first i characters to the first j. */
    for (Py_ssize_t j = 0; j <= columns; j++)
        row[j] = j;
    for (Py_ssize_t i = 1; i <= rows; i++) {
        Py_ssize_t diagonal = row[0];
        row[0] = i;
        for (Py_ssize_t j = 1; j <= columns; j++) {
            Py_ssize_t above = row[j];
            int differs = PyUnicode_READ_CHAR(first, i - 1) != PyUnicode_READ_CHAR(second, j - 1);
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + differs);
            diagonal = above;
        }
    }
    return PyLong_FromSsize_t(row[columns]);
}

static PyMethodDef methods[] = {
    {"distance", distance, METH_VARARGS, "Edit distance between two words."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "distance", NULL, -1, methods};

PyMODINIT_FUNC PyInit_distance(void)
{
    return PyModule_Create(&module);
}
