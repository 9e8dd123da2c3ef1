"""One file per claim about speed or size; each prints its figures last."""
