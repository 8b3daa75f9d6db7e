"""Work cut into transactions: deliveries of any size, re-evaluations, what is due."""
