"""AI agents on Yemot HaMashiach phone lines."""
