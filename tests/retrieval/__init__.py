"""How good the search is: documents and questions made by hand, and the figures that may not drop."""
