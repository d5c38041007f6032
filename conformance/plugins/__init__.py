"""The suite inside other tools: pytest and Schemathesis."""
