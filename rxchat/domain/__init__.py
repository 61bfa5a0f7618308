"""Rules and values without input or output. Imports no other package of RxChat."""
