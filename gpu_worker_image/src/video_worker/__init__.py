"""The worker: takes jobs from the queue and runs pipelines over their videos."""
