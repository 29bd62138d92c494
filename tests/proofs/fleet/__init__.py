"""The fleet replayed minute by minute: what `plan_fleet` makes of arrivals, beside the policies of before."""
