"""The bulk lane's native code: numba over byte buffers and columns.

`decode` turns runs of BMP Route Monitoring into columns, `intern` keeps each distinct attribute blob once, `select`
finds the rows that touch a watched prefix. Each is compiled on its first use and kept in numba's cache
(`NUMBA_CACHE_DIR` where the installation is read-only). Importing this package imports no numba: a command line prints
its help without it, and decodes without it what was compiled at the installation (`ahead`).

Rules of this package: offsets are unsigned, so no index can be negative; what is needed is checked before each read,
for bounds checks alone do not catch a clamped slice; anything unusual is left to the plain decoder in
`collector.wire`.
"""
