"""What a caller can do: press, speak, record, pay, move."""
