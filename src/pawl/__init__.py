"""Pawl: a self-hosted CI/CD server that runs GitHub Actions workflows."""
