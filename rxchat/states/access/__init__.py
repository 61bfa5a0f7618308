"""Roles, groups and grants, the administration of users, and the audit log."""
