"""What fulfils the ports: AWS, and local twins. SDK errors are translated here and nowhere else."""
