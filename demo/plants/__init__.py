"""The plants, by theme: each function breaks some records and enters in the ledger what must come of them."""
