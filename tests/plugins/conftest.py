"""What is not collected: projects of users, whose tests run as theirs do, in processes of their own."""

collect_ignore = ["application", "team"]
