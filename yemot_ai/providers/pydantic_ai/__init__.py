"""Any agent of pydantic-ai as a provider."""
