"""The operations on arrays, one family a file. Their public names are those of `mlxc`."""
