"""An HTTP server on this machine, plain, over TLS and as a forward proxy, with certificates made for one run."""
