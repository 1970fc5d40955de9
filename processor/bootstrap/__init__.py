"""Builds each role from its parts: a module a role. The only package that names concrete adapters (ADR 0060).

Imports none of them here: a process loads the parts of its own role alone.
"""
