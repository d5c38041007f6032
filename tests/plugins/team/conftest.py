"""The server in a thread while cassettes are recorded; they are replayed without it."""

import contextlib
import threading

import httpx
import pytest
import uvicorn
from booking import TOKEN, make_app


@pytest.fixture(scope="session")
def vcr_config():
    return {
        "match_on": ["method", "path", "query", "body"],  # the port is another each time
        "filter_headers": [("authorization", "Bearer <default>")],
    }


@pytest.fixture(scope="session")
def base_url(record_mode):
    if record_mode == "none":
        yield "http://127.0.0.1:8000"
        return
    server = uvicorn.Server(uvicorn.Config(make_app(), port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    with contextlib.suppress(IndexError):
        while not server.started:
            thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(base_url):
    with httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client
