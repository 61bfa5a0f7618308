"""Conversations from files of other systems and of RxChat, as values that are checked and can be stored."""
