"""Tables of model servers: their errors and their quirks, each with its source."""
