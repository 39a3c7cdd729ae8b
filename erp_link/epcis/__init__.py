"""EPCIS 2.0 and CBV 2.0 (GS1, ISO/IEC 19987 and 19988): what happened to goods, for partners.

Pure: keys as URIs, the vocabulary, the hash id, events made from the history, checks, filters.
"""
