"""Clients judged from outside: driven by a small adapter, watched at a gateway, or observed before a real server.

``certify.certify`` drives, ``watch.watch`` listens, ``observe.observe`` stands in between;
``evidence.judge_records`` judges a driven run again, offline.
"""
