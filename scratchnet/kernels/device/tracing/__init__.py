"""Functions of the page run with symbols, and what they do to each element as one kernel.

`expressions` has the symbols, `source` writes CUDA C, `pointwise` makes and calls the kernels.
"""
