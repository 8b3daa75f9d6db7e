"""Other ways to run or check the same stages; each needs an extra and gives the same answers."""
