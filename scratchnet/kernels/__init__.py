"""The page's equations arranged for speed, one file a page, same names.

A kernel may change layout, fuse products, write in place; it says what it does, and a test holds
each of its intermediates equal to the page's.  All work feature-major: an array of one time step is
(H, B), so that each gate is one contiguous block and the batch runs along the fastest axis.
"""
