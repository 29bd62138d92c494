"""The fleet replayed minute by minute: the policies of before and `plan_fleet` on the same arrivals."""
