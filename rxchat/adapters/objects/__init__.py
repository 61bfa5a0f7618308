"""Object stores for encrypted parts of files: a folder of this machine, or an S3 bucket.

Files are encrypted before they are stored under random keys, so a store reveals neither owners nor contents.
"""
