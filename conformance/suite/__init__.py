"""A test a rule: ``pytest --pyargs conformance.suite --subject URL``."""
