"""The proof: what history claims, against what the databases hold. Nothing here is the services' own code."""
