"""``yemot-ai serve``: uvicorn with deadlines for connections, an orderly end, and a log format."""
