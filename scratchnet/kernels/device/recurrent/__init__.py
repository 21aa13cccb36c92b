"""Steps of the page through time and back, divided into kernels and products.

A step is run with `blocks`; `cell` says what has to be done and saved, `way_back` the same for the
way back; `stages` puts kernels and products in order; the result is a `plan`, which
`scratchnet.layers.device_pass` carries out.
"""
