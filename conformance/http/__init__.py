"""HTTP as it was sent: exchanges, their order and content coding, hosts, redaction, and how they are shown."""
