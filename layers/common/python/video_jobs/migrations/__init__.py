"""Numbered data migrations of the job table.

Each module ``mNNNN_….py`` has ``changes(item)``: the attributes that an item of an older shape lacks, as
DynamoDB's client takes them. ``runner.migrate`` applies them in order; running it again changes nothing.
"""
