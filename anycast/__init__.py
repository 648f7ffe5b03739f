"""The vocabulary of Catchment: values that every box knows. Standard library only, no I/O."""
