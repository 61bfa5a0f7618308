"""The parts of a page: each takes its state vars and places a component of rxchat/ui/client."""
