"""The image, the compose files and the commands of docs/operations.md, run for real: `make test-containers`."""
