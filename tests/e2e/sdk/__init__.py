"""Real client SDKs at pinned versions, with only the address and the key changed.

A package, so that its conftest.py and that of the folder above are two modules.
"""
