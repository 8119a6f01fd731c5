"""Runners on real clusters."""
