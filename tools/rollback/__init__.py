"""Taking the service out of an AWS account; `tools/rollback.sh` runs it, docs/rollback.md explains it."""
