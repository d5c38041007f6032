"""What was on the wire: exchanges, their order and coding, hosts, and how they are shown."""
