"""Numbered data migrations of the job table.

Each module ``mNNNN_….py`` has a function ``changes(item)``, which returns the attributes that an older item
lacks, in the format of DynamoDB's client. ``runner.migrate`` applies them in order; running it again changes
nothing.
"""
