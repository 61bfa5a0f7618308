"""What RxChat can do: the use cases. They open transactions and know ports, never adapters."""
