"""Read and write `*.call.yaml`."""
