"""One test for each rule: ``pytest --pyargs conformance.suite --subject URL``."""
