"""Tests of rxchat/services/models."""
