"""RxChat: a private AI chat for teams, on your own machine."""

__version__ = "0.1.0"
