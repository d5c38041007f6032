"""The hosts of the API."""

from __future__ import annotations

__all__ = ["API_HOSTS", "DATA_CENTRES"]

#: Base URLs of the data centres, by their names on the command line.
DATA_CENTRES = {
    "au": "https://api-au.cronofy.com",
    "ca": "https://api-ca.cronofy.com",
    "de": "https://api-de.cronofy.com",
    "sg": "https://api-sg.cronofy.com",
    "uk": "https://api-uk.cronofy.com",
    "us": "https://api.cronofy.com",
}

#: The hosts of the API's six data centres (clause A2).
API_HOSTS = tuple(url.removeprefix("https://") for url in DATA_CENTRES.values())
