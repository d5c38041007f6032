"""Testing servers: what is under test, the scenarios, the campaign that runs them, and what they covered."""
