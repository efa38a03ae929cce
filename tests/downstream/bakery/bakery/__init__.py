"""A bakery that answers its phone."""
