"""From facts to a report: the judge, what it remembers, how verdicts are counted, and the formats of reports."""
