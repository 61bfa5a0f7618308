"""What RxChat must be immune to: each test tries to get in."""
