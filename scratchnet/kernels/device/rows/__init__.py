"""Functions of the page that take a maximum or a sum along rows, as one kernel with a block a row.

`expressions` has the symbols, `source` writes CUDA C, `kernel` makes and calls the kernels.
"""
