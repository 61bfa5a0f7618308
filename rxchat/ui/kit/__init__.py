"""The components that every page is made of. Pages add nothing to the browser: what needs it is here, once."""
