"""What is not collected: the project of a team, whose tests run as a team's do, in a process of their own."""

collect_ignore = ["team"]
