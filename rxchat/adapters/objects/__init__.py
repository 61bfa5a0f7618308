"""Places where sealed pieces of files are kept: a folder of this machine, or an S3 bucket.

What is kept here has been sealed before, under random keys; neither place learns whose it is, or what.
"""
