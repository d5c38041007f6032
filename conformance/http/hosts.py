"""The hosts of the API, and which hosts are this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

__all__ = ["API_HOSTS", "DATA_CENTRES"]

#: Data centres by their names on the command line.
DATA_CENTRES = {
    "au": "https://api-au.cronofy.com",
    "ca": "https://api-ca.cronofy.com",
    "de": "https://api-de.cronofy.com",
    "sg": "https://api-sg.cronofy.com",
    "uk": "https://api-uk.cronofy.com",
    "us": "https://api.cronofy.com",
}


#: The hosts of the API's six data centres (clause A2).
API_HOSTS = (
    "api.cronofy.com",
    "api-au.cronofy.com",
    "api-ca.cronofy.com",
    "api-de.cronofy.com",
    "api-sg.cronofy.com",
    "api-uk.cronofy.com",
)
