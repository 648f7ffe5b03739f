"""MRT and BMP files at full speed: columns where compiled code can take what is there, elements for everything else."""
