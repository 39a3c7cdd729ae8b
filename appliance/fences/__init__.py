"""The site's fences: kept in versions, signed by people whom the quality lead lets, in force where the
signatures hold.
"""
