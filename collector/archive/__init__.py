"""The archive: what routers sent, kept as MRT files that any tool of the field reads.

Theory of operation. The station's decoding thread appends each piece of a stream, as it came and with its time, to a
raw file of its exporter (`raw`): a copy and a write, whatever the rate. A raw file that is closed is turned into MRT by
a process of its own (`convert`), compressed, and deleted only when its MRT files are whole. Oldest files go when they
are too old or the archive is larger than its quota.
"""
