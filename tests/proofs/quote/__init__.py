"""How good quotes are: jobs of several lengths through the local stack, quoted before and measured after."""
