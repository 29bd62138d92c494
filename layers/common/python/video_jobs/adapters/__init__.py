"""The adapters: the ports on AWS and on this machine. Errors of SDKs are translated only here."""
