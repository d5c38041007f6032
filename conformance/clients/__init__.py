"""Testing clients from outside: driven by an adapter, watched at a gateway, or through a proxy to a real server.

``certify.certify`` drives, ``watch.watch`` listens, ``proxy.observe`` stands in between;
``transcript.judge_calls`` judges a driven run again, offline.
"""
