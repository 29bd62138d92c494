"""On a schedule: put right what was left behind."""
