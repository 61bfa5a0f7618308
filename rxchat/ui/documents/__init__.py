"""The pages of documents: collections, their documents, search, and the document viewer."""
