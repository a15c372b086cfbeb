"""Tests: unit, contract, integration, faults, e2e; what they share is in ``support``."""
