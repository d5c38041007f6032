"""``python -m conformance`` is ``cronofy-conformance``."""

from conformance.cli.main import main

if __name__ == "__main__":
    main()
